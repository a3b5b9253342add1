/**
 * Solo5's `hvt` ABI (Solo5 include/{elf,mft,hvt}_abi.h, versions 1 and 2): a unikernel that runs in 64-bit mode without
 * a PC around it. Its file says by notes that it is one, and by a manifest which disks and networks it wants.
 */
import type { EntryState } from '../kvm/vcpu.ts'
import { BOOT } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import type { ElfSegment } from './elf.ts'
import { writeHvtPages } from './hvt-pages.ts'
import { BootError, type ImageFile } from './image-file.ts'
import { enter64 } from './linux.ts'

const NOTE_NAME = 'Solo5'
const NOTE_HEADER_BYTES = 20
const ABI1 = 0x3149_4241
const MFT1 = 0x3154_464d
const HVT_TARGET = 1
const NEWEST_ABI = 2
const MAX_NOTES = 64 * 1024

/** struct mft and struct mft_entry. */
const MANIFEST_HEADER_BYTES = 8
const ENTRY_BYTES = 104
const ENTRY = { type: 68, capacity: 72, blockSize: 80, mac: 72, mtu: 78, attached: 96 } as const
const TYPE = { block: 1, net: 2 } as const
const MAX_ENTRIES = 64
const MANIFEST_VERSION = 1

const HVT_BLOCK_BYTES = 512
const INFO_BYTES = 64
const CR4_OSFXSR = 1 << 9
const CR4_OSXMMEXCPT = 1 << 10
const CR0_WP = 1 << 16
const EFER_NXE = 1 << 11

/** What the unikernel wants, in the order of its handles; `other` has no device behind it. */
type HvtEntry = 'block' | 'net' | 'other'

export interface HvtImage {
  readonly manifest: Uint8Array
  readonly entries: readonly HvtEntry[]
}

/** What its devices are, in the order of the command line. */
export interface HvtDevices {
  readonly disks: readonly { readonly bytes: number }[]
  readonly nets: readonly { readonly mac: readonly number[]; readonly mtu: number }[]
}

/** Undefined: this ELF is no `hvt` unikernel. Throws BootError when it is one that this machine cannot run. */
export function parseHvt(file: ImageFile): HvtImage | undefined {
  const notes = solo5Notes(file)
  const abi = notes.get(ABI1)
  if (abi === undefined || abi.length < 8) return undefined
  const view = new DataView(abi.buffer, abi.byteOffset)
  const target = view.getUint32(0, true)
  if (target !== HVT_TARGET) {
    throw new BootError(`${file.path} is a Solo5 unikernel for another target (${target}): build it for hvt`)
  }
  const version = view.getUint32(4, true)
  if (version > NEWEST_ABI) {
    throw new BootError(
      `${file.path} needs version ${version} of Solo5's hvt ABI; known are versions up to ${NEWEST_ABI}`,
    )
  }
  const manifest = notes.get(MFT1)
  if (manifest === undefined) throw new BootError(`${file.path} is a Solo5 unikernel without a manifest`)
  return { manifest, entries: manifestEntries(file, manifest) }
}

function manifestEntries(file: ImageFile, manifest: Uint8Array): HvtEntry[] {
  const view = new DataView(manifest.buffer, manifest.byteOffset, manifest.byteLength)
  const count = manifest.length < MANIFEST_HEADER_BYTES ? 0 : view.getUint32(4, true)
  const fits = MANIFEST_HEADER_BYTES + count * ENTRY_BYTES <= manifest.length
  if (count === 0 || count > MAX_ENTRIES || !fits || view.getUint32(0, true) !== MANIFEST_VERSION) {
    throw new BootError(`${file.path} has a broken Solo5 manifest`)
  }
  return Array.from({ length: count }, (_, i) => {
    const type = view.getUint32(MANIFEST_HEADER_BYTES + i * ENTRY_BYTES + ENTRY.type, true)
    return type === TYPE.block ? 'block' : type === TYPE.net ? 'net' : 'other'
  })
}

/** Notes named Solo5 by type: their content, at the alignment its structure has. */
function solo5Notes(file: ImageFile): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>()
  if (file.size < 64) return found
  const header = read(file, 0, 64)
  const u64 = (view: DataView, at: number): number =>
    view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
  const table = u64(header, 32)
  const count = header.getUint16(56, true)
  if (count > 64 || header.getUint16(54, true) !== 56 || table + count * 56 > file.size) return found
  const headers = read(file, table, count * 56)
  const PT_NOTE = 4
  for (let at = 0; at < headers.byteLength; at += 56) {
    const offset = u64(headers, at + 8)
    const size = u64(headers, at + 32)
    if (headers.getUint32(at, true) !== PT_NOTE || size > MAX_NOTES || offset + size > file.size) continue
    collect(read(file, offset, size), found)
  }
  return found
}

function collect(notes: DataView, found: Map<number, Uint8Array>): void {
  for (let at = 0; at + 12 <= notes.byteLength; ) {
    const nameSize = notes.getUint32(at, true)
    const descSize = notes.getUint32(at + 4, true)
    const type = notes.getUint32(at + 8, true)
    const desc = at + 12 + Math.ceil(nameSize / 4) * 4
    const end = desc + descSize
    if (end > notes.byteLength) return
    const name = new TextDecoder('latin1').decode(
      new Uint8Array(notes.buffer, at + 12, Math.min(nameSize, 5)),
    )
    if (nameSize === NOTE_NAME.length + 1 && name === NOTE_NAME) {
      // The manifest has 64-bit fields: its structure begins at the next multiple of 8 of the note.
      const padding = type === MFT1 ? (8 - (NOTE_HEADER_BYTES % 8)) % 8 : 0
      if (descSize > padding) found.set(type, new Uint8Array(notes.buffer.slice(desc + padding, end)))
    }
    at = desc + Math.ceil(descSize / 4) * 4
  }
}

/** Throws BootError when the manifest wants more devices than there are. */
export function attachDevices(
  file: ImageFile,
  { manifest, entries }: HvtImage,
  devices: HvtDevices,
): Uint8Array {
  const bytes = manifest.slice()
  const view = new DataView(bytes.buffer)
  const next = { block: 0, net: 0 }
  for (const [i, kind] of entries.entries()) {
    if (kind === 'other') continue
    const at = MANIFEST_HEADER_BYTES + i * ENTRY_BYTES
    const index = next[kind]++
    if (kind === 'block') {
      const disk = devices.disks[index]
      if (!disk) throw missing(file, 'disk', entries.filter((entry) => entry === 'block').length)
      view.setBigUint64(at + ENTRY.capacity, BigInt(disk.bytes - (disk.bytes % HVT_BLOCK_BYTES)), true)
      view.setUint16(at + ENTRY.blockSize, HVT_BLOCK_BYTES, true)
    } else {
      const net = devices.nets[index]
      if (!net) throw missing(file, 'net', entries.filter((entry) => entry === 'net').length)
      bytes.set(net.mac, at + ENTRY.mac)
      view.setUint16(at + ENTRY.mtu, net.mtu, true)
    }
    bytes[at + ENTRY.attached] = 1
  }
  return bytes
}

const missing = (file: ImageFile, option: string, count: number): BootError =>
  new BootError(`${file.path} wants ${count} of --${option}: give as many, in its manifest's order`)

export interface HvtBootData {
  readonly entry: number
  readonly memoryBytes: number
  readonly kernelEnd: number
  readonly segments: readonly ElfSegment[]
  readonly tscHertz: number
  readonly manifest: Uint8Array
  readonly commandLine: string
}

/** struct hvt_boot_info, the manifest and the command line; RDI points to the first. */
export function enterHvt(memory: GuestMemory, data: HvtBootData): EntryState {
  const { info, manifest, commandLine, commandLineMax } = BOOT.hvt
  const text = new TextEncoder().encode(`${data.commandLine}\0`)
  if (text.length > commandLineMax) {
    throw new BootError(
      `the unikernel's command line has more than ${commandLineMax - 1} bytes: shorten --cmdline`,
    )
  }
  const view = new DataView(new ArrayBuffer(INFO_BYTES))
  for (const [i, value] of [
    data.memoryBytes,
    data.kernelEnd,
    data.tscHertz,
    commandLine,
    manifest,
  ].entries()) {
    view.setBigUint64(i * 8, BigInt(value), true)
  }
  memory.write(info, new Uint8Array(view.buffer))
  memory.write(manifest, data.manifest)
  memory.write(commandLine, text)
  const state = enter64(memory, data.entry)
  return {
    ...state,
    // As after a call: the stack's end less the return address that nobody uses.
    regs: { rip: data.entry, rdi: info, rsp: data.memoryBytes - 8 },
    cr0: state.cr0 + CR0_WP,
    cr3: writeHvtPages(memory, data.memoryBytes, data.segments),
    cr4: state.cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT,
    efer: state.efer | EFER_NXE,
  }
}

function read(file: ImageFile, position: number, length: number): DataView {
  const bytes = new Uint8Array(length)
  file.read(bytes, position)
  return new DataView(bytes.buffer)
}
