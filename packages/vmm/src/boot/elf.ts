/** An x86 ELF kernel of either class: its loadable segments and the PVH entry note (ELF object file format; xen/include/public/elfnote.h). */
import { BootError, type ImageFile } from './image-file.ts'

/** Where the two classes have the fields that are read here (System V ABI, chapter 4 and 5). */
const LAYOUT = {
  32: {
    ...{ headerSize: 52, entry: 24, table: 28, entrySize: 42, count: 44, programSize: 32 },
    ...{ flags: 24, offset: 4, address: 12, fileSize: 16, memorySize: 20, align: 28 },
  },
  64: {
    ...{ headerSize: 64, entry: 24, table: 32, entrySize: 54, count: 56, programSize: 56 },
    ...{ flags: 4, offset: 8, address: 24, fileSize: 32, memorySize: 40, align: 48 },
  },
} as const
const MAX_SEGMENTS = 64
const MAX_NOTES = 1 << 20
const ELFCLASS = { 1: 32, 2: 64 } as const
const ELFDATA2LSB = 1
const MACHINE = { 32: 3, 64: 62 } as const
const ET_EXEC = 2
const ET_DYN = 3
const PT_LOAD = 1
const PT_NOTE = 4
const XEN_ELFNOTE_PHYS32_ENTRY = 18
const PF_X = 1
const PF_W = 2

export interface ElfSegment {
  readonly fileOffset: number
  readonly fileSize: number
  readonly address: number
  readonly memorySize: number
  /** What its pages may be used for, beside reading. */
  readonly writable: boolean
  readonly executable: boolean
}

export interface ElfImage {
  /** Of its file; a 64-bit one may begin with 32-bit code, a 32-bit one may hold a 64-bit kernel. */
  readonly bits: 32 | 64
  /** e_entry: for Linux the physical address of the 64-bit entry. */
  readonly entry: number
  /** Physical address of the PVH 32-bit entry, when the file has the note. */
  readonly pvhEntry: number | undefined
  /** It says that it is Linux, whose entry takes the boot protocol's zero page. */
  readonly isLinux: boolean
  readonly segments: readonly ElfSegment[]
}

export function isElf(head: Uint8Array): boolean {
  return head.length >= 4 && head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46
}

/** Throws BootError when the file is not a whole x86 executable with something to load. */
export function parseElf(file: ImageFile): ElfImage {
  const broken = (what: string): BootError => new BootError(`${file.path} is a broken ELF file: ${what}`)
  const truncated = (what: string): BootError => new BootError(`${file.path} is truncated: ${what}`)
  if (file.size < LAYOUT[32].headerSize) throw truncated('it is shorter than an ELF header')
  const header = read(file, 0, Math.min(file.size, LAYOUT[64].headerSize))
  if (!isElf(new Uint8Array(header.buffer))) throw new BootError(`${file.path} is not an ELF file`)
  const bits = ELFCLASS[header.getUint8(4) as 1 | 2] as 32 | 64 | undefined
  if (
    bits === undefined ||
    header.getUint8(5) !== ELFDATA2LSB ||
    header.getUint16(18, true) !== MACHINE[bits]
  ) {
    throw new BootError(`${file.path} is an ELF file for another processor: use a kernel for x86`)
  }
  const layout = LAYOUT[bits]
  if (file.size < layout.headerSize) throw truncated('it is shorter than an ELF header')
  const field = bits === 64 ? u64 : (view: DataView, at: number): number => view.getUint32(at, true)
  const type = header.getUint16(16, true)
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw new BootError(
      `${file.path} is an ELF file that cannot be run (type ${type}, for example a kernel module)`,
    )
  }
  const count = header.getUint16(layout.count, true)
  if (count === 0 || count > MAX_SEGMENTS) throw broken(`it has ${count} program headers`)
  if (header.getUint16(layout.entrySize, true) !== layout.programSize) {
    throw broken('its program headers have a wrong size')
  }
  const table = field(header, layout.table)
  if (table + count * layout.programSize > file.size)
    throw truncated('its program headers lie behind its end')
  const headers = read(file, table, count * layout.programSize)

  const segments: ElfSegment[] = []
  let pvhEntry: number | undefined
  let isLinux = false
  for (let i = 0; i < count; i++) {
    const at = i * layout.programSize
    const kind = headers.getUint32(at, true)
    if (kind !== PT_LOAD && kind !== PT_NOTE) continue
    const flags = headers.getUint32(at + layout.flags, true)
    const segment = {
      fileOffset: field(headers, at + layout.offset),
      address: field(headers, at + layout.address),
      fileSize: field(headers, at + layout.fileSize),
      memorySize: field(headers, at + layout.memorySize),
      writable: (flags & PF_W) !== 0,
      executable: (flags & PF_X) !== 0,
    }
    if (segment.fileOffset + segment.fileSize > file.size) {
      throw truncated(
        `segment ${i} ends at byte ${segment.fileOffset + segment.fileSize}, the file at ${file.size}`,
      )
    }
    if (kind === PT_NOTE) {
      if (segment.fileSize > MAX_NOTES) throw broken('its notes are too large')
      const notes = read(file, segment.fileOffset, segment.fileSize)
      for (const { owner, type, desc } of elfNotes(notes, field(headers, at + layout.align) === 8 ? 8 : 4)) {
        isLinux ||= owner === 'Linux'
        const isEntry = owner === 'Xen' && type === XEN_ELFNOTE_PHYS32_ENTRY
        if (isEntry && (desc.byteLength === 4 || desc.byteLength === 8)) pvhEntry ??= desc.getUint32(0, true)
      }
      continue
    }
    if (segment.memorySize === 0) continue
    if (segment.fileSize > segment.memorySize)
      throw broken(`segment ${i} is larger in the file than in memory`)
    segments.push(segment)
  }
  if (segments.length === 0) throw broken('it has nothing to load')
  return { bits, entry: field(header, layout.entry), pvhEntry, isLinux, segments }
}

interface ElfNote {
  readonly owner: string
  readonly type: number
  readonly desc: DataView
}

/** Walks {namesz, descsz, type, name, desc} records; anything that does not fit ends the walk. */
function* elfNotes(notes: DataView, alignment: 4 | 8): Generator<ElfNote> {
  const align = (n: number): number => Math.ceil(n / alignment) * alignment
  for (let at = 0; at + 12 <= notes.byteLength; ) {
    const nameSize = notes.getUint32(at, true)
    const descSize = notes.getUint32(at + 4, true)
    const desc = at + align(12 + nameSize)
    if (desc + descSize > notes.byteLength) return
    const name = new Uint8Array(notes.buffer, notes.byteOffset + at + 12, Math.max(nameSize, 1) - 1)
    yield {
      owner: nameSize > 16 ? '' : new TextDecoder('latin1').decode(name),
      type: notes.getUint32(at + 8, true),
      desc: new DataView(notes.buffer, notes.byteOffset + desc, descSize),
    }
    at = desc + align(descSize)
  }
}

function read(file: ImageFile, position: number, length: number): DataView {
  const bytes = new Uint8Array(length)
  file.read(bytes, position)
  return new DataView(bytes.buffer)
}

/** Values above 2^53 lose low bits and fail every bounds check all the same. */
const u64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
