/**
 * Unpacks the LZ4 "legacy frame" Debian's cloud kernel is packed with, so that tests have the ELF kernel without a
 * tool that a machine may lack. Blocks of at most 8 MiB: length, then LZ4 sequences (lz4_Block_format.md).
 */
const LEGACY_MAGIC = 0x184c_2102
const BLOCK_BYTES = 8 * 1024 * 1024

export function decodeLz4Legacy(packed: Buffer): Buffer {
  if (packed.readUInt32LE(0) !== LEGACY_MAGIC) throw new Error('not an LZ4 legacy frame')
  const blocks: Buffer[] = []
  for (let at = 4; at + 4 <= packed.length; ) {
    const length = packed.readUInt32LE(at)
    if (length === 0 || at + 4 + length > packed.length) break
    blocks.push(decodeBlock(packed.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

function decodeBlock(source: Buffer): Buffer {
  const target = Buffer.allocUnsafe(BLOCK_BYTES)
  let from = 0
  let to = 0
  const extended = (nibble: number): number => {
    let length = nibble
    if (nibble === 15) {
      for (let byte = 255; byte === 255; length += byte) byte = source[from++]!
    }
    return length
  }
  while (from < source.length) {
    const token = source[from++]!
    const literals = extended(token >> 4)
    source.copy(target, to, from, from + literals)
    from += literals
    to += literals
    if (from >= source.length) break
    const offset = source.readUInt16LE(from)
    from += 2
    // A match may overlap what it writes: byte by byte.
    for (let left = extended(token & 15) + 4; left > 0; left--, to++) target[to] = target[to - offset]!
  }
  return target.subarray(0, to)
}
