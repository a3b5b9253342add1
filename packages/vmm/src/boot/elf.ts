/** A 64-bit x86 ELF kernel: its loadable segments and the PVH entry note (ELF-64 object file format; xen/include/public/elfnote.h). */
import { BootError, type ImageFile } from './image-file.ts'

const EHDR_SIZE = 64
const PHDR_SIZE = 56
const MAX_SEGMENTS = 64
const MAX_NOTES = 1 << 20
const ELFCLASS64 = 2
const ELFDATA2LSB = 1
const EM_X86_64 = 62
const ET_EXEC = 2
const ET_DYN = 3
const PT_LOAD = 1
const PT_NOTE = 4
const XEN_ELFNOTE_PHYS32_ENTRY = 18

interface ElfSegment {
  readonly fileOffset: number
  readonly fileSize: number
  readonly address: number
  readonly memorySize: number
}

export interface ElfImage {
  /** e_entry: for Linux the physical address of the 64-bit entry. */
  readonly entry: number
  /** Physical address of the PVH 32-bit entry, when the file has the note. */
  readonly pvhEntry: number | undefined
  readonly segments: readonly ElfSegment[]
}

export function isElf(head: Uint8Array): boolean {
  return head.length >= 4 && head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46
}

/** Throws BootError when the file is not a whole x86-64 executable with something to load. */
export function parseElf(file: ImageFile): ElfImage {
  const broken = (what: string): BootError => new BootError(`${file.path} is a broken ELF file: ${what}`)
  const truncated = (what: string): BootError => new BootError(`${file.path} is truncated: ${what}`)
  if (file.size < EHDR_SIZE) throw truncated('it is shorter than an ELF header')
  const header = read(file, 0, EHDR_SIZE)
  if (!isElf(new Uint8Array(header.buffer))) throw new BootError(`${file.path} is not an ELF file`)
  if (
    header.getUint8(4) !== ELFCLASS64 ||
    header.getUint8(5) !== ELFDATA2LSB ||
    header.getUint16(18, true) !== EM_X86_64
  ) {
    throw new BootError(`${file.path} is an ELF file for another processor: use a 64-bit x86 kernel`)
  }
  const type = header.getUint16(16, true)
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw new BootError(
      `${file.path} is an ELF file that cannot be run (type ${type}, for example a kernel module)`,
    )
  }
  const count = header.getUint16(56, true)
  if (count === 0 || count > MAX_SEGMENTS) throw broken(`it has ${count} program headers`)
  if (header.getUint16(54, true) !== PHDR_SIZE) throw broken('its program headers have a wrong size')
  const table = u64(header, 32)
  if (table + count * PHDR_SIZE > file.size) throw truncated('its program headers lie behind its end')
  const headers = read(file, table, count * PHDR_SIZE)

  const segments: ElfSegment[] = []
  let pvhEntry: number | undefined
  for (let i = 0; i < count; i++) {
    const at = i * PHDR_SIZE
    const kind = headers.getUint32(at, true)
    if (kind !== PT_LOAD && kind !== PT_NOTE) continue
    const segment = {
      fileOffset: u64(headers, at + 8),
      address: u64(headers, at + 24),
      fileSize: u64(headers, at + 32),
      memorySize: u64(headers, at + 40),
    }
    if (segment.fileOffset + segment.fileSize > file.size) {
      throw truncated(
        `segment ${i} ends at byte ${segment.fileOffset + segment.fileSize}, the file at ${file.size}`,
      )
    }
    if (kind === PT_NOTE) {
      if (segment.fileSize > MAX_NOTES) throw broken('its notes are too large')
      const notes = read(file, segment.fileOffset, segment.fileSize)
      pvhEntry ??= findPvhEntry(notes, u64(headers, at + 48) === 8 ? 8 : 4)
      continue
    }
    if (segment.memorySize === 0) continue
    if (segment.fileSize > segment.memorySize)
      throw broken(`segment ${i} is larger in the file than in memory`)
    segments.push(segment)
  }
  if (segments.length === 0) throw broken('it has nothing to load')
  return { entry: u64(header, 24), pvhEntry, segments }
}

/** Walks {namesz, descsz, type, name, desc} records; anything that does not fit ends the walk. */
function findPvhEntry(notes: DataView, alignment: 4 | 8): number | undefined {
  const align = (n: number): number => Math.ceil(n / alignment) * alignment
  for (let at = 0; at + 12 <= notes.byteLength; ) {
    const nameSize = notes.getUint32(at, true)
    const descSize = notes.getUint32(at + 4, true)
    const desc = at + align(12 + nameSize)
    if (desc + descSize > notes.byteLength) return undefined
    const isXen =
      nameSize === 4 &&
      notes.getUint32(at + 12, false) === 0x5865_6e00 &&
      notes.getUint32(at + 8, true) === XEN_ELFNOTE_PHYS32_ENTRY
    if (isXen && (descSize === 4 || descSize === 8)) return notes.getUint32(desc, true)
    at = desc + align(descSize)
  }
  return undefined
}

function read(file: ImageFile, position: number, length: number): DataView {
  const bytes = new Uint8Array(length)
  file.read(bytes, position)
  return new DataView(bytes.buffer)
}

/** Values above 2^53 lose low bits and fail every bounds check all the same. */
const u64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
