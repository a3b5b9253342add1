/**
 * What a file from outside is, by its own first bytes and never by its name. qcow2 headers are read here and not left
 * to the converter: a file that names other files (backing file, external data) must not even be opened by it.
 */
import { open } from 'node:fs/promises'
import { imageLimits } from '@hearth/shared/image'
import { formatBytes, MIB } from '@hearth/shared/units'
import { BuildError } from '../recipes/build-error.ts'

/** `bytes`: of the disk inside. */
export type DiskFormat =
  | { readonly format: 'qcow2' | 'raw'; readonly bytes: number }
  | { readonly format: 'iso'; readonly bytes: number; readonly label: string }

const sectorBytes = 512
/** ECMA-119, 8.1: the first volume descriptor, at sector 16 of 2048 bytes. */
const isoDescriptor = 16 * 2048

/** Throws a BuildError for what is no image or may not become one. */
export async function readFormat(file: string): Promise<DiskFormat> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const head = Buffer.alloc(64 * 1024)
    const { bytesRead } = await handle.read(head, 0, head.length, 0)
    const known = head.subarray(0, bytesRead)
    if (startsWith(known, 'QFI\xfb')) return checkDisk({ format: 'qcow2', bytes: readQcow2(known) })
    const packed = packing(known)
    if (packed)
      throw new BuildError(`The file is packed (${packed}). Unpack it and give the disk image inside.`)
    const foreign = foreignFormat(known)
    if (foreign)
      throw new BuildError(
        `The file is a ${foreign} disk. Hearth takes qcow2, raw disks and ISO files: convert it first, for example with "qemu-img convert -O qcow2".`,
      )
    if (
      known.length > isoDescriptor + 72 &&
      known.toString('latin1', isoDescriptor + 1, isoDescriptor + 6) === 'CD001'
    )
      return {
        format: 'iso',
        bytes: size,
        label: known.toString('latin1', isoDescriptor + 40, isoDescriptor + 72).trim(),
      }
    if (isPartitioned(known)) return checkDisk({ format: 'raw', bytes: roundUp(size, MIB) })
    const text = /^\s*<(?:!doctype|html)/i.test(known.toString('latin1', 0, 256))
    throw new BuildError(
      text
        ? 'This is a web page, not a disk image: the address leads to a page about the file instead of the file.'
        : 'This is no disk image that a VM could start from: it is neither qcow2 nor an ISO, and has no partition table.',
    )
  } finally {
    await handle.close()
  }
}

function checkDisk<T extends DiskFormat>(disk: T): T {
  if (disk.bytes > imageLimits.diskBytes)
    throw new BuildError(
      `The disk in this image is ${formatBytes(disk.bytes)}; at most ${formatBytes(imageLimits.diskBytes)} are taken.`,
    )
  return disk
}

/** docs/interop/qcow2.txt, "Header". Returns the virtual size. */
function readQcow2(head: Buffer): number {
  if (head.length < 72) throw new BuildError('The qcow2 file is cut off in its header.')
  const version = head.readUInt32BE(4)
  if (version !== 2 && version !== 3)
    throw new BuildError(`This is a qcow2 file of version ${version}; Hearth reads 2 and 3.`)
  if (head.readBigUInt64BE(8) !== 0n)
    throw new BuildError(
      'This qcow2 file is only the difference to another file (it has a backing file). Flatten it first with "qemu-img convert".',
    )
  if (head.readUInt32BE(32) !== 0) throw new BuildError('This qcow2 file is encrypted. Decrypt it first.')
  const bytes = head.readBigUInt64BE(24)
  if (bytes === 0n) throw new BuildError('The disk in this qcow2 file is empty.')
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER))
    throw new BuildError('The qcow2 file claims an impossible size.')
  if (version === 3) {
    if (head.length < 104) throw new BuildError('The qcow2 file is cut off in its header.')
    const incompatible = head.readBigUInt64BE(72)
    // Bit 1, "corrupt"; bit 2, "external data file".
    if ((incompatible & 0b10n) !== 0n)
      throw new BuildError('This qcow2 file says of itself that it is damaged.')
    if ((incompatible & 0b100n) !== 0n)
      throw new BuildError('This qcow2 file keeps its data in another file. Give one that holds it itself.')
  }
  return roundUp(Number(bytes), MIB)
}

function isPartitioned(head: Buffer): boolean {
  if (head.length < sectorBytes) return false
  return (
    head.readUInt16LE(510) === 0xaa55 || head.toString('latin1', sectorBytes, sectorBytes + 8) === 'EFI PART'
  )
}

function packing(head: Buffer): string | null {
  if (startsWith(head, '\x1f\x8b')) return 'gzip'
  if (startsWith(head, '\xfd7zXZ\0')) return 'xz'
  if (startsWith(head, '\x28\xb5\x2f\xfd')) return 'zstd'
  if (startsWith(head, 'BZh')) return 'bzip2'
  return startsWith(head, 'PK\x03\x04') ? 'zip' : null
}

function foreignFormat(head: Buffer): string | null {
  if (startsWith(head, 'KDMV') || startsWith(head, '# Disk DescriptorFile')) return 'VMware (vmdk)'
  if (startsWith(head, 'vhdxfile')) return 'Hyper-V (vhdx)'
  if (startsWith(head, 'conectix')) return 'Virtual PC (vhd)'
  return head.length > 0x44 && head.readUInt32LE(0x40) === 0xbeda107f ? 'VirtualBox (vdi)' : null
}

function startsWith(head: Buffer, magic: string): boolean {
  return head.toString('latin1', 0, magic.length) === magic
}

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit
}
