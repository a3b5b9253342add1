/**
 * A tiny AML encoder (ACPI 6.5, section 20.2): terms in, bytes out. Only what this machine's DSDT needs; names
 * are the specification's.
 */
export type Aml = readonly number[]

const le = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff)

const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0))

/** PkgLength (20.2.4) of `body`, counting its own bytes. */
function withPackageLength(body: Aml): number[] {
  for (let extra = 0; extra <= 3; extra++) {
    const length = body.length + 1 + extra
    if (extra === 0 && length < 0x40) return [length, ...body]
    if (extra > 0 && length < 2 ** (4 + 8 * extra)) {
      return [(extra << 6) | (length & 0xf), ...le(Math.floor(length / 16), extra), ...body]
    }
  }
  throw new RangeError('an AML package is too long')
}

/** NameString (20.2.2): `\_SB`, `_SB.PCI0`, `_HID`; segments are padded to four characters. */
export function nameString(path: string): number[] {
  const root = path.startsWith('\\')
  const segments = (root ? path.slice(1) : path).split('.').filter((s) => s !== '')
  for (const s of segments)
    if (!/^[A-Z_][A-Z0-9_]{0,3}$/.test(s)) throw new RangeError(`not an AML name: ${path}`)
  const bytes = segments.flatMap((s) => ascii(s.padEnd(4, '_')))
  const prefix =
    segments.length === 0
      ? [0]
      : segments.length === 1
        ? []
        : segments.length === 2
          ? [0x2e]
          : [0x2f, segments.length]
  return [...(root ? [0x5c] : []), ...prefix, ...bytes]
}

export function integer(value: number): number[] {
  if (value === 0) return [0x00]
  if (value === 1) return [0x01]
  if (value <= 0xff) return [0x0a, value]
  if (value <= 0xffff) return [0x0b, ...le(value, 2)]
  if (value <= 0xffff_ffff) return [0x0c, ...le(value, 4)]
  return [0x0e, ...le(value, 8)]
}

export const string = (text: string): number[] => [0x0d, ...ascii(text), 0]

/** A Plug and Play id packed as EISAID (19.6.36): three letters, four hex digits. */
export function eisaId(id: string): number[] {
  const letters = ascii(id.slice(0, 3)).map((c) => c - 0x40)
  const packed = (letters[0]! << 10) | (letters[1]! << 5) | letters[2]!
  const product = Number.parseInt(id.slice(3), 16)
  return [0x0c, packed >> 8, packed & 0xff, product >> 8, product & 0xff]
}

/** Always four bytes, for a value that is patched later. */
export const dword = (value: number): number[] => [0x0c, ...le(value, 4)]
/** DefMethod (20.2.5.2) without arguments, not serialised. */
export const method = (path: string, ...terms: Aml[]): number[] => [
  0x14,
  ...withPackageLength([...nameString(path), 0, ...terms.flat()]),
]
/** DefNotify (20.2.5.3). */
export const notify = (object: string, value: number): number[] => [
  0x86,
  ...nameString(object),
  ...integer(value),
]

export const name = (path: string, value: Aml): number[] => [0x08, ...nameString(path), ...value]
export const scope = (path: string, ...terms: Aml[]): number[] => [
  0x10,
  ...withPackageLength([...nameString(path), ...terms.flat()]),
]
export const device = (path: string, ...terms: Aml[]): number[] => [
  0x5b,
  0x82,
  ...withPackageLength([...nameString(path), ...terms.flat()]),
]
export const packageOf = (...elements: Aml[]): number[] => [
  0x12,
  ...withPackageLength([elements.length, ...elements.flat()]),
]
export const buffer = (bytes: Aml): number[] => [
  0x11,
  ...withPackageLength([...integer(bytes.length), ...bytes]),
]

/** A resource template (6.4): descriptors, then the end tag with "checksum not computed". */
export const resources = (...descriptors: Aml[]): number[] => buffer([...descriptors.flat(), 0x79, 0])

/** I/O port descriptor (6.4.2.5), 16-bit decode. */
export const ioPorts = (start: number, length: number): number[] => [
  0x47,
  1,
  ...le(start, 2),
  ...le(start, 2),
  1,
  length,
]
/** IRQ descriptor without flags (6.4.2.1): edge, active high, exclusive. */
export const irq = (line: number): number[] => [0x22, ...le(1 << line, 2)]
/** Extended interrupt (6.4.3.6) of a consumer: level, active high, shared. */
export const levelInterrupt = (gsi: number): number[] => [0x89, 6, 0, 0x09, 1, ...le(gsi, 4)]
/** 32-bit fixed memory range (6.4.3.4). */
export const memory32Fixed = (start: number, length: number): number[] => [
  0x86,
  9,
  0,
  1,
  ...le(start, 4),
  ...le(length, 4),
]

/** Word and DWord address spaces (6.4.3.5) that the bridge passes on: minimum and maximum fixed. */
const FIXED_RANGE = 0x0c
const addressSpace = (
  tag: number,
  bytes: number,
  type: number,
  flags: number,
  start: number,
  end: number,
): number[] => {
  const words = [0, start, end, 0, end - start + 1].flatMap((word) => le(word, bytes))
  return [tag, ...le(3 + words.length, 2), type, FIXED_RANGE, flags, ...words]
}
export const busNumbers = (first: number, last: number): number[] => addressSpace(0x88, 2, 2, 0, first, last)
export const wordIo = (first: number, last: number): number[] => addressSpace(0x88, 2, 1, 3, first, last)
/** Read-write, not cacheable. */
export const dwordMemory = (first: number, last: number): number[] => addressSpace(0x87, 4, 0, 1, first, last)
