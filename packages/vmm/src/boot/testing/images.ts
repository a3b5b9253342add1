/** Hand-built kernel images, so that every field can be made wrong. */

export interface BzImageFields {
  readonly version?: number
  readonly xloadflags?: number
  readonly loadflags?: number
  readonly setupSectors?: number
  readonly payload?: Uint8Array
  readonly alignment?: number
  readonly preferredAddress?: number
  readonly initSize?: number
  readonly commandLineMax?: number
  readonly initrdMax?: number
  readonly headerLength?: number
}

export function bzImage(fields: BzImageFields = {}): Uint8Array {
  const payload = fields.payload ?? new Uint8Array(4096).fill(0xf4)
  const setupSectors = fields.setupSectors ?? 1
  const start = ((setupSectors || 4) + 1) * 512
  const bytes = new Uint8Array(start + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0x1f1, setupSectors)
  view.setUint32(0x1f4, Math.ceil(payload.length / 16), true)
  view.setUint16(0x1fe, 0xaa55, true)
  view.setUint8(0x200, 0xeb)
  view.setUint8(0x201, fields.headerLength ?? 0x6a)
  view.setUint32(0x202, 0x5372_6448, true)
  view.setUint16(0x206, fields.version ?? 0x20f, true)
  view.setUint8(0x211, fields.loadflags ?? 1)
  view.setUint32(0x22c, fields.initrdMax ?? 0x7fff_ffff, true)
  view.setUint32(0x230, fields.alignment ?? 0x20_0000, true)
  view.setUint16(0x236, fields.xloadflags ?? 1, true)
  view.setUint32(0x238, fields.commandLineMax ?? 2047, true)
  view.setUint32(0x258, fields.preferredAddress ?? 0x100_0000, true)
  view.setUint32(0x260, fields.initSize ?? 0x20_0000, true)
  bytes.set(payload, start)
  return bytes
}

export interface ElfFields {
  readonly entry?: number
  readonly machine?: number
  readonly type?: number
  readonly segments?: readonly { address: number; data: Uint8Array; memorySize?: number }[]
  /** Adds a PT_NOTE with the PVH entry. */
  readonly pvhEntry?: number
  readonly noteAlignment?: 4 | 8
  /** Adds one of Linux's own to it. */
  readonly linuxNote?: boolean
}

export function elf(fields: ElfFields = {}): Uint8Array {
  const segments = fields.segments ?? [{ address: 0x10_0000, data: new Uint8Array(64).fill(0xf4) }]
  const notes =
    fields.pvhEntry === undefined
      ? undefined
      : pvhNotes(fields.pvhEntry, fields.noteAlignment ?? 4, fields.linuxNote === true)
  const count = segments.length + (notes ? 1 : 0)
  const dataStart = 64 + count * 56
  const size = dataStart + segments.reduce((sum, s) => sum + s.data.length, 0) + (notes?.length ?? 0)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, fields.type ?? 2, true)
  view.setUint16(18, fields.machine ?? 62, true)
  view.setUint32(24, fields.entry ?? segments[0]?.address ?? 0, true)
  view.setUint32(32, 64, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, count, true)
  let at = dataStart
  const header = (
    i: number,
    kind: number,
    address: number,
    data: Uint8Array,
    memorySize: number,
    align: number,
  ): void => {
    const base = 64 + i * 56
    view.setUint32(base, kind, true)
    view.setUint32(base + 4, READABLE | WRITABLE, true)
    view.setUint32(base + 8, at, true)
    view.setUint32(base + 24, address, true)
    view.setUint32(base + 32, data.length, true)
    view.setUint32(base + 40, memorySize, true)
    view.setUint32(base + 48, align, true)
    bytes.set(data, at)
    at += data.length
  }
  for (const [i, s] of segments.entries())
    header(i, 1, s.address, s.data, s.memorySize ?? s.data.length, 4096)
  if (notes) header(segments.length, 4, 0, notes, notes.length, fields.noteAlignment ?? 4)
  return bytes
}

/** A 32-bit ELF of 16 bytes at 1 MiB, with a PVH note or without. */
export function elf32(pvhEntry: number | undefined): Uint8Array {
  const [headerSize, programSize, code] = [52, 32, 16]
  const notes = pvhEntry === undefined ? new Uint8Array(0) : pvhNotes(pvhEntry, 4, false)
  const programs = notes.length > 0 ? 2 : 1
  const start = headerSize + programSize * programs
  const bytes = new Uint8Array(start + code + notes.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  for (const [at, value] of [
    [16, 2],
    [18, 3],
    [42, programSize],
    [44, programs],
  ] as const) {
    view.setUint16(at, value, true)
  }
  view.setUint32(24, 0x10_0000, true)
  view.setUint32(28, headerSize, true)
  const program = (i: number, values: readonly number[]): void => {
    for (const [n, value] of values.entries())
      view.setUint32(headerSize + i * programSize + n * 4, value, true)
  }
  program(0, [1, start, 0x10_0000, 0x10_0000, code, 0x1000, 7, 4096])
  if (notes.length > 0) program(1, [4, start + code, 0, 0, notes.length, 0, 4, 4])
  bytes.set(notes, start + code)
  return bytes
}

const WRITABLE = 2
const READABLE = 4

/** Another owner's note first, then Xen's PHYS32_ENTRY. */
function pvhNotes(entry: number, alignment: 4 | 8, linux: boolean): Uint8Array {
  const align = (n: number): number => Math.ceil(n / alignment) * alignment
  const other = align(align(12 + 4) + 3)
  const desc = other + align(12 + 4)
  const last = align(desc + 4)
  const bytes = new Uint8Array(linux ? last + align(12 + 6) : desc + 4)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 4, true)
  view.setUint32(4, 3, true)
  view.setUint32(8, 18, true)
  bytes.set([0x47, 0x4e, 0x55, 0], 12)
  view.setUint32(other, 4, true)
  view.setUint32(other + 4, 4, true)
  view.setUint32(other + 8, 18, true)
  bytes.set([0x58, 0x65, 0x6e, 0], other + 12)
  view.setUint32(desc, entry, true)
  if (!linux) return bytes
  view.setUint32(last, 6, true)
  view.setUint32(last + 8, 0x101, true)
  bytes.set(new TextEncoder().encode('Linux\0'), last + 12)
  return bytes
}
