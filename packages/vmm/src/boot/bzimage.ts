/** The header of a Linux bzImage (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
import { BootError, type ImageFile } from './image-file.ts'

const SECTOR = 512
export const SETUP_HEADER = 0x1f1
const HEADER_ROOM = 0x280
const BOOT_FLAG = 0xaa55
const HDR_MAGIC = 0x5372_6448 // "HdrS"
/** 2.12 introduced xloadflags, and with it the promise of a 64-bit entry point. */
const OLDEST_VERSION = 0x20c
const XLF_KERNEL_64 = 1
const LOADED_HIGH = 1
/** Where the 64-bit entry lies in the protected-mode code. */
export const ENTRY_64 = 0x200

export interface BzImage {
  /** The setup header's own bytes, to be copied to the zero page from SETUP_HEADER on. */
  readonly header: Uint8Array
  readonly payloadOffset: number
  readonly payloadSize: number
  readonly preferredAddress: number
  readonly alignment: number
  /** Memory the kernel needs from its preferred address on before it has read the memory map. */
  readonly initSize: number
  /** Longest command line without its final zero. */
  readonly commandLineMax: number
  /** Highest address the initrd's last byte may have. */
  readonly initrdMax: number
}

export function isBzImage(head: Uint8Array): boolean {
  if (head.length < 0x206) return false
  const view = viewOf(head)
  return view.getUint16(0x1fe, true) === BOOT_FLAG && view.getUint32(0x202, true) === HDR_MAGIC
}

/** Throws BootError when the file is not a bzImage with a 64-bit entry, whole. */
export function parseBzImage(file: ImageFile): BzImage {
  if (file.size < HEADER_ROOM) throw new BootError(`${file.path} is truncated: a bzImage has a longer header`)
  const head = new Uint8Array(HEADER_ROOM)
  file.read(head, 0)
  if (!isBzImage(head)) throw new BootError(`${file.path} is not a bzImage`)
  const view = viewOf(head)
  const version = view.getUint16(0x206, true)
  if (version < OLDEST_VERSION) {
    const text = `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`
    throw new BootError(
      `${file.path} is a kernel too old for this machine (boot protocol ${text}, needs 2.12: Linux 3.8 or newer)`,
    )
  }
  if (!(view.getUint16(0x236, true) & XLF_KERNEL_64)) {
    throw new BootError(`${file.path} is a 32-bit kernel: use a 64-bit (x86-64) one`)
  }
  if (!(view.getUint8(0x211) & LOADED_HIGH)) throw new BootError(`${file.path} is a zImage: use a bzImage`)
  const headerEnd = 0x202 + view.getUint8(0x201)
  if (headerEnd < 0x264 || headerEnd > HEADER_ROOM) {
    throw new BootError(`${file.path} has a broken setup header (it ends at 0x${headerEnd.toString(16)})`)
  }
  // 0 stands for 4 (boot.rst: for backwards compatibility).
  const setupSectors = view.getUint8(SETUP_HEADER) || 4
  const payloadOffset = (setupSectors + 1) * SECTOR
  const payloadSize = file.size - payloadOffset
  const claimed = view.getUint32(0x1f4, true) * 16
  if (payloadSize <= ENTRY_64 || claimed > payloadSize + 15) {
    throw new BootError(
      `${file.path} is truncated: its header announces ${payloadOffset + claimed} bytes, the file has ${file.size}`,
    )
  }
  const alignment = view.getUint32(0x230, true)
  if (alignment === 0 || (alignment & (alignment - 1)) !== 0) {
    throw new BootError(
      `${file.path} has a broken setup header (kernel_alignment 0x${alignment.toString(16)})`,
    )
  }
  return {
    header: head.slice(SETUP_HEADER, headerEnd),
    payloadOffset,
    payloadSize,
    preferredAddress: view.getUint32(0x258, true) + view.getUint32(0x25c, true) * 2 ** 32,
    alignment,
    initSize: view.getUint32(0x260, true),
    commandLineMax: view.getUint32(0x238, true),
    initrdMax: view.getUint32(0x22c, true),
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
