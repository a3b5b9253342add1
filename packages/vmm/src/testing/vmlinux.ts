import { spawnSync } from 'node:child_process'

/** The ELF kernel inside a bzImage (boot.rst: payload_offset and payload_length), unpacked by Debian's lz4. */
export function extractVmlinux(bzImage: Buffer): Buffer {
  const sectors = bzImage[0x1f1] || 4
  const start = (sectors + 1) * 512 + bzImage.readUInt32LE(0x248)
  // The last four bytes are the size of what comes out, not part of the frame.
  const size = bzImage.readUInt32LE(start + bzImage.readUInt32LE(0x24c) - 4)
  const frame = bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c) - 4)
  const { stdout, stderr, error } = spawnSync('lz4', ['-d', '-c'], { input: frame, maxBuffer: size + 1 })
  if (error || stdout.length !== size) {
    throw new Error(`lz4 gave ${stdout?.length ?? 0} of ${size} bytes: ${error?.message ?? stderr}`)
  }
  return stdout
}

/** The same kernel without its PVH note, so that only the 64-bit entry is left. */
export function withoutPvhNote(vmlinux: Buffer): Buffer {
  const copy = Buffer.from(vmlinux)
  // {namesz 4, descsz 4 or 8, type 18, "Xen\0"}
  for (const descSize of [4, 8]) {
    const note = Buffer.alloc(16)
    note.writeUInt32LE(4, 0)
    note.writeUInt32LE(descSize, 4)
    note.writeUInt32LE(18, 8)
    note.write('Xen\0', 12, 'latin1')
    const at = copy.indexOf(note)
    if (at >= 0) copy.writeUInt32LE(0xffff, at + 8)
  }
  return copy
}
