/**
 * The Multiboot 1 protocol (Multiboot Specification 0.6.96): its header, which may carry load addresses of its own
 * (the "a.out kludge") or leave them to an ELF file, and the state a kernel is entered in.
 */
import type { EntryState } from '../kvm/vcpu.ts'
import { BIOS_DATA, BOOT, CONVENTIONAL_END, type E820Entry } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import { isElf, parseElf } from './elf.ts'
import { BootError, type ImageFile } from './image-file.ts'

const HEADER_MAGIC = 0x1bad_b002
const ENTRY_MAGIC = 0x2bad_b002
/** 3.1.1: the header lies in here, 4-byte aligned. */
const SEARCH_BYTES = 8192
const HEADER_BYTES = 32
const FLAG = {
  PAGE_ALIGN_MODULES: 1 << 0,
  MEMORY_INFO: 1 << 1,
  VIDEO_MODE: 1 << 2,
  ADDRESSES: 1 << 16,
} as const
/** Of the requirements (bits 0–15) those that can be met. */
const MET = FLAG.PAGE_ALIGN_MODULES | FLAG.MEMORY_INFO
const REQUIREMENTS = 0xffff

const INFO = {
  MEMORY: 1 << 0,
  COMMAND_LINE: 1 << 2,
  MODULES: 1 << 3,
  MEMORY_MAP: 1 << 6,
  LOADER_NAME: 1 << 9,
}
const INFO_BYTES = 120
const MODULE_BYTES = 16
const MAP_ENTRY_BYTES = 24
const LOADER_NAME = 'Hearth'
const KIB = 1024

const CR0_PE = 1
const CR0_ET = 1 << 4

export interface LoadSegment {
  readonly fileOffset: number
  readonly fileSize: number
  readonly address: number
  readonly memorySize: number
}

export interface MultibootImage {
  readonly entry: number
  readonly segments: readonly LoadSegment[]
}

export interface MultibootModule {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The offset of a valid header in the file's beginning, or -1. */
export function findMultibootHeader(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, Math.min(head.byteLength, SEARCH_BYTES))
  for (let at = 0; at + 12 <= view.byteLength; at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue
    const sum = HEADER_MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true)
    if (sum % 2 ** 32 === 0) return at
  }
  return -1
}

/** Throws BootError when the file has no header, or one that asks for what this machine has not. */
export function parseMultiboot(file: ImageFile): MultibootImage {
  const head = new Uint8Array(Math.min(file.size, SEARCH_BYTES + HEADER_BYTES))
  file.read(head, 0)
  const at = findMultibootHeader(head)
  if (at < 0) throw new BootError(`${file.path} has no Multiboot header`)
  const view = new DataView(head.buffer)
  const flags = view.getUint32(at + 4, true)
  const unmet = flags & REQUIREMENTS & ~MET
  if (unmet & FLAG.VIDEO_MODE) {
    throw new BootError(`${file.path} insists on a graphics mode, which Multiboot does not give it here`)
  }
  if (unmet !== 0) {
    throw new BootError(
      `${file.path} asks for Multiboot features 0x${unmet.toString(16)}, which nobody has defined`,
    )
  }
  if ((flags & FLAG.ADDRESSES) === 0) {
    if (isElf(head)) return parseElf(file)
    throw new BootError(`${file.path} has a Multiboot header without addresses, and is no ELF file either`)
  }
  if (at + HEADER_BYTES > head.length)
    throw new BootError(`${file.path} is truncated in its Multiboot header`)
  const [headerAddress, loadAddress, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((field) =>
    view.getUint32(at + field, true),
  ) as [number, number, number, number, number]
  const fileOffset = at - (headerAddress - loadAddress)
  // 0 stands for "all of the file" and for "no bss".
  const fileSize = loadEnd === 0 ? file.size - fileOffset : loadEnd - loadAddress
  const memorySize = bssEnd === 0 ? fileSize : bssEnd - loadAddress
  if (fileOffset < 0 || fileSize <= 0 || fileOffset + fileSize > file.size || memorySize < fileSize) {
    throw new BootError(`${file.path} has a Multiboot header whose addresses do not fit its file`)
  }
  return { entry, segments: [{ fileOffset, fileSize, address: loadAddress, memorySize }] }
}

export interface MultibootData {
  readonly memoryMap: readonly E820Entry[]
  /** Bytes of RAM from 1 MiB on, up to the first hole. */
  readonly upperBytes: number
  readonly modules: readonly MultibootModule[]
}

/** 3.3: the information structure and what it points to; the command line is in its place already. */
export function writeMultibootInfo(memory: GuestMemory, data: MultibootData): void {
  const { info, name, modules, moduleTexts, memoryMap } = BOOT.multiboot
  const view = new DataView(new ArrayBuffer(INFO_BYTES))
  const hasModules = data.modules.length > 0 ? INFO.MODULES : 0
  const flags = INFO.MEMORY | INFO.COMMAND_LINE | INFO.MEMORY_MAP | INFO.LOADER_NAME | hasModules
  const fields: [number, number][] = [
    [0, flags],
    [4, CONVENTIONAL_END / KIB],
    [8, data.upperBytes / KIB],
    [16, BOOT.multiboot.commandLine],
    [20, data.modules.length],
    [24, hasModules ? modules : 0],
    [44, data.memoryMap.length * MAP_ENTRY_BYTES],
    [48, memoryMap],
    [64, name],
  ]
  for (const [at, value] of fields) view.setUint32(at, value, true)
  memory.write(info, new Uint8Array(view.buffer))
  memory.write(name, new TextEncoder().encode(`${LOADER_NAME}\0`))

  let text: number = moduleTexts
  for (const [i, module] of data.modules.entries()) {
    const bytes = new TextEncoder().encode(`${module.text}\0`)
    if (text + bytes.length > moduleTexts + BOOT.multiboot.moduleTextsMax) {
      throw new BootError('the names of the modules are too long together')
    }
    memory.write(text, bytes)
    for (const [n, value] of [module.start, module.end, text, 0].entries()) {
      memory.writeU32(modules + i * MODULE_BYTES + n * 4, value)
    }
    text += bytes.length
  }
  for (const [i, entry] of data.memoryMap.entries()) {
    const at = memoryMap + i * MAP_ENTRY_BYTES
    // The size does not count itself.
    memory.writeU32(at, MAP_ENTRY_BYTES - 4)
    memory.writeU64(at + 4, entry.start)
    memory.writeU64(at + 12, entry.size)
    memory.writeU32(at + 20, entry.type)
  }
}

/**
 * What kernels for PCs with a BIOS take for granted below 1 MiB: how much memory there is (Xen puts its real-mode code at
 * its end), and interrupts that come back, as of functions that this BIOS does not have (carry is set).
 */
export function writeBiosRemains(memory: GuestMemory): void {
  // stc; retf 2 (drops the flags of before)
  memory.write(BOOT.noBios, Uint8Array.of(0xf9, 0xca, 2, 0))
  memory.write(0, new Uint8Array(new Uint32Array(256).fill(BOOT.noBios).buffer))
  memory.write(BIOS_DATA.extendedSegment, new Uint8Array(Uint16Array.of(CONVENTIONAL_END >> 4).buffer))
  memory.write(BIOS_DATA.conventionalKib, new Uint8Array(Uint16Array.of(CONVENTIONAL_END / KIB).buffer))
}

/** 3.2: 32-bit protected mode, flat, no paging, EAX the magic, EBX the information. */
export function enterMultiboot(memory: GuestMemory, entry: number): EntryState {
  const descriptors = new BigUint64Array([
    0n,
    0x00cf_9b00_0000_ffffn,
    0x00cf_9300_0000_ffffn,
    0x008f_8b00_0000_ffffn,
  ])
  memory.write(BOOT.gdt, new Uint8Array(descriptors.buffer))
  return {
    regs: { rip: entry, rax: ENTRY_MAGIC, rbx: BOOT.multiboot.info },
    code: { selector: 8, base: 0, limit: 0xffff_ffff, type: 0xb, s: 1, db: 1, g: 1 },
    data: { selector: 0x10, base: 0, limit: 0xffff_ffff, type: 3, s: 1, db: 1, g: 1 },
    tss: { selector: 0x18, base: 0, limit: 0x67, type: 0xb, s: 0 },
    gdt: { base: BOOT.gdt, limit: descriptors.length * 8 - 1 },
    cr0: CR0_PE | CR0_ET,
    cr3: 0,
    cr4: 0,
    efer: 0,
  }
}

export const MAX_MODULES = 16
