/** Linux's 64-bit boot protocol: the zero page and the state at the entry (boot.rst, "64-bit Boot Protocol"). */
import type { EntryState } from '../kvm/vcpu.ts'
import { BOOT, type E820Entry } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import { SETUP_HEADER } from './bzimage.ts'

const PAGE = 4096
/** Offsets in struct boot_params (zero-page.rst). */
const ZERO_PAGE = {
  screenInfo: 0,
  acpiRsdp: 0x70,
  e820Entries: 0x1e8,
  bootFlag: 0x1fe,
  magic: 0x202,
  version: 0x206,
  typeOfLoader: 0x210,
  loadFlags: 0x211,
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  commandLinePointer: 0x228,
  e820Table: 0x2d0,
} as const
const E820_MAX = 128
const UNREGISTERED_LOADER = 0xff

const CR0_PE = 1
const CR0_ET = 1 << 4
const CR0_NE = 1 << 5
const CR0_PG = 0x8000_0000
const CR4_PAE = 1 << 5
const EFER_LME = 1 << 8
const EFER_LMA = 1 << 10

export interface LinuxBootData {
  /** The kernel's own setup header; absent for an ELF, which has none. */
  readonly header: Uint8Array | undefined
  readonly memoryMap: readonly E820Entry[]
  readonly rsdp: number
  readonly initrd: { address: number; size: number } | undefined
  /** A linear frame buffer to write messages to, of 32 bits a pixel; absent: there is no screen. */
  readonly screen?: LinearScreen | undefined
}

export interface LinearScreen {
  readonly address: number
  /** Of its memory: a multiple of 64 KiB. */
  readonly bytes: number
  readonly width: number
  readonly height: number
  /** Bytes from row to row. */
  readonly stride: number
}

/** struct screen_info (include/uapi/linux/screen_info.h). */
const SCREEN_INFO = {
  isVga: 0x0f,
  width: 0x12,
  height: 0x14,
  depth: 0x16,
  base: 0x18,
  size: 0x1c,
  lineLength: 0x24,
  /** Size and position of red, green, blue and what is left, a byte each. */
  channels: 0x26,
  pages: 0x32,
  capabilities: 0x36,
} as const
const VIDEO_TYPE_VLFB = 0x23
/** No VGA registers behind it. */
const NOT_VGA_COMPATIBLE = 2

function writeScreen(page: DataView, { address, bytes, width, height, stride }: LinearScreen): void {
  const at = ZERO_PAGE.screenInfo
  page.setUint8(at + SCREEN_INFO.isVga, VIDEO_TYPE_VLFB)
  page.setUint16(at + SCREEN_INFO.width, width, true)
  page.setUint16(at + SCREEN_INFO.height, height, true)
  page.setUint16(at + SCREEN_INFO.depth, 32, true)
  page.setUint32(at + SCREEN_INFO.base, address, true)
  page.setUint32(at + SCREEN_INFO.size, bytes / 65536, true)
  page.setUint16(at + SCREEN_INFO.lineLength, stride, true)
  for (const [i, value] of [8, 16, 8, 8, 8, 0, 8, 24].entries()) {
    page.setUint8(at + SCREEN_INFO.channels + i, value)
  }
  page.setUint16(at + SCREEN_INFO.pages, 1, true)
  page.setUint32(at + SCREEN_INFO.capabilities, NOT_VGA_COMPATIBLE, true)
}

export function writeZeroPage(memory: GuestMemory, data: LinuxBootData): void {
  if (data.memoryMap.length > E820_MAX) throw new RangeError('the memory map has too many entries')
  const page = new DataView(new ArrayBuffer(PAGE))
  const bytes = new Uint8Array(page.buffer)
  if (data.header) {
    bytes.set(data.header, SETUP_HEADER)
  } else {
    page.setUint16(ZERO_PAGE.bootFlag, 0xaa55, true)
    page.setUint32(ZERO_PAGE.magic, 0x5372_6448, true)
    page.setUint16(ZERO_PAGE.version, 0x20f, true)
    page.setUint8(ZERO_PAGE.loadFlags, 1)
  }
  if (data.screen) writeScreen(page, data.screen)
  page.setUint8(ZERO_PAGE.typeOfLoader, UNREGISTERED_LOADER)
  page.setUint32(ZERO_PAGE.commandLinePointer, BOOT.commandLine, true)
  page.setUint32(ZERO_PAGE.ramdiskImage, data.initrd?.address ?? 0, true)
  page.setUint32(ZERO_PAGE.ramdiskSize, data.initrd?.size ?? 0, true)
  page.setUint32(ZERO_PAGE.acpiRsdp, data.rsdp, true)
  page.setUint8(ZERO_PAGE.e820Entries, data.memoryMap.length)
  for (const [i, entry] of data.memoryMap.entries()) {
    const at = ZERO_PAGE.e820Table + i * 20
    page.setBigUint64(at, BigInt(entry.start), true)
    page.setBigUint64(at + 8, BigInt(entry.size), true)
    page.setUint32(at + 16, entry.type, true)
  }
  memory.write(BOOT.zeroPage, bytes)
}

/** Long mode, the first 4 GiB mapped one to one in 2 MiB pages, the selectors the protocol asks for. */
export function enter64(memory: GuestMemory, entry: number): EntryState {
  const PRESENT_WRITABLE = 3
  const LARGE = 0x80
  const pdpt = BOOT.pageTables + PAGE
  memory.writeU64(BOOT.pageTables, pdpt | PRESENT_WRITABLE)
  for (let gib = 0; gib < 4; gib++) {
    const directory = pdpt + PAGE * (1 + gib)
    memory.writeU64(pdpt + gib * 8, directory | PRESENT_WRITABLE)
    for (let i = 0; i < 512; i++) {
      memory.writeU64(directory + i * 8, gib * 2 ** 30 + i * 2 ** 21 + (LARGE | PRESENT_WRITABLE))
    }
  }
  // __BOOT_CS 0x10, __BOOT_DS 0x18, a TSS that Intel hosts want loaded.
  const descriptors = new BigUint64Array([
    0n,
    0n,
    0x00af_9b00_0000_ffffn,
    0x00cf_9300_0000_ffffn,
    0x008f_8b00_0000_ffffn,
  ])
  memory.write(BOOT.gdt, new Uint8Array(descriptors.buffer))
  return {
    regs: { rip: entry, rsi: BOOT.zeroPage, rsp: BOOT.stack, rbp: BOOT.stack },
    code: { selector: 0x10, base: 0, limit: 0xffff_ffff, type: 0xb, s: 1, l: 1, g: 1 },
    data: { selector: 0x18, base: 0, limit: 0xffff_ffff, type: 3, s: 1, db: 1, g: 1 },
    tss: { selector: 0x20, base: 0, limit: 0xf_ffff, type: 0xb, s: 0, g: 1 },
    gdt: { base: BOOT.gdt, limit: descriptors.length * 8 - 1 },
    cr0: CR0_PG + (CR0_NE | CR0_ET | CR0_PE),
    cr3: BOOT.pageTables,
    cr4: CR4_PAE,
    efer: EFER_LME | EFER_LMA,
  }
}
