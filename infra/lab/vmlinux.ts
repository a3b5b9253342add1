/**
 * The kernel as the ELF file that a bzImage carries compressed. QEMU starts that by PVH, and the emulated CPU is spared
 * unpacking it: half of the time from power-on to the first program.
 */
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { cachedFolder } from './cache.ts'
import type { DebianKernel } from './debian-kernel.ts'

/** Returns the ELF's path, or the bzImage's where this kernel or this machine does not allow it. */
export async function bootableKernel(
  cacheDir: string,
  kernel: DebianKernel,
  onDetail: (detail: string) => void,
): Promise<string> {
  try {
    return await unpackedKernel(cacheDir, kernel, onDetail)
  } catch (error) {
    onDetail(`the kernel starts from its packed image, more slowly: ${(error as Error).message}`)
    return kernel.vmlinuz
  }
}

/** Returns the ELF's path. Throws where there is none that QEMU could start, or no program to unpack it. */
export async function unpackedKernel(
  cacheDir: string,
  kernel: DebianKernel,
  onDetail: (detail: string) => void = () => {},
): Promise<string> {
  const name = path.basename(path.dirname(kernel.vmlinuz)).replace(/^kernel\d*-/, 'vmlinux-')
  const folder = await cachedFolder(cacheDir, name, async (making) => {
    onDetail('unpacking the kernel image')
    await writeFile(path.join(making, 'vmlinux'), await extractVmlinux(await readFile(kernel.vmlinuz)))
  })
  return path.join(folder, 'vmlinux')
}

/** Fields of the setup header (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
const SETUP_SECTS = 0x1f1
const MAGIC = 0x202
const VERSION = 0x206
const PAYLOAD_OFFSET = 0x248
const PAYLOAD_LENGTH = 0x24c
/** The first protocol version with a payload. */
const PAYLOAD_VERSION = 0x0208

/** The ELF inside a bzImage. Throws when there is none that QEMU could start. */
export async function extractVmlinux(bzImage: Buffer): Promise<Buffer> {
  if (bzImage.length < 0x250 || bzImage.toString('latin1', MAGIC, MAGIC + 4) !== 'HdrS')
    throw new Error('it is not a bzImage')
  if (bzImage.readUInt16LE(VERSION) < PAYLOAD_VERSION) throw new Error('its boot protocol is too old')
  // 0 stands for 4 sectors, and the boot sector itself comes before them.
  const setupBytes = ((bzImage[SETUP_SECTS] || 4) + 1) * 512
  const start = setupBytes + bzImage.readUInt32LE(PAYLOAD_OFFSET)
  const vmlinux = await unpack(bzImage.subarray(start, start + bzImage.readUInt32LE(PAYLOAD_LENGTH)))
  if (vmlinux.toString('latin1', 0, 4) !== '\x7fELF') throw new Error('its payload is no ELF file')
  if (!hasPvhEntry(vmlinux)) throw new Error('it has no PVH entry')
  return vmlinux
}

/** Linux' build appends the unpacked size to every format but gzip, which has it already. */
async function unpack(payload: Buffer): Promise<Buffer> {
  switch (payload.toString('hex', 0, 4)) {
    case 'fd377a58':
      return unpackBy('xz', 'xz-utils', ['--single-stream'], payload)
    case '02214c18':
      return unpackBy('lz4', 'lz4', [], payload.subarray(0, -4))
    case '28b52ffd':
      return zstdDecompressSync(payload.subarray(0, -4))
    default:
      if (payload.readUInt16BE(0) === 0x1f8b) return gunzipSync(payload)
      throw new Error('it is compressed in a way unknown here')
  }
}

async function unpackBy(
  program: string,
  debianPackage: string,
  args: readonly string[],
  data: Buffer,
): Promise<Buffer> {
  const child = spawn(program, ['--decompress', '--stdout', ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', () => reject(new Error(`${program} did not start (Debian package ${debianPackage})`)))
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`)),
    )
  })
  // xz stops reading at the end of the stream; what it leaves is the size.
  child.stdin.on('error', () => {})
  child.stdin.end(data)
  const [unpacked] = await Promise.all([buffer(child.stdout), ended])
  return unpacked
}

/** The note XEN_ELFNOTE_PHYS32_ENTRY: {name size 4, descriptor size 4 or 8, type 18, "Xen"}. */
function hasPvhEntry(vmlinux: Buffer): boolean {
  return [4, 8].some((size) => {
    const note = Buffer.alloc(16)
    for (const [index, word] of [4, size, 18].entries()) note.writeUInt32LE(word, index * 4)
    note.write('Xen\0', 12, 'latin1')
    return vmlinux.includes(note)
  })
}
