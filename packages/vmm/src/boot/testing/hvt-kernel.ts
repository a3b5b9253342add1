/** Solo5 `hvt` unikernels of a few instructions: the ELF with its notes, and what a program's steps are. */
import { outl, storeMemory } from '../../testing/tiny-guest.ts'

const ADDRESS = 0x10_0000
const TEXT = 0x800
const MEMORY_BYTES = 0x1_0000
const ARGUMENTS = ADDRESS + 0x4000
/** Where programs may keep data. */
export const HVT_DATA = ADDRESS + 0x8000

/** A hypercall whose arguments are 64-bit values. */
export const hypercall = (number: number, ...values: readonly number[]): number[] => [
  ...values.flatMap((value, i) => storeMemory(ARGUMENTS + i * 8, value)),
  ...outl(0x500 + number, ARGUMENTS),
]
/** Prints the text given to `hvtKernel`. */
export const putsText = (length: number): number[] => hypercall(2, ADDRESS + TEXT, length)

function note(type: number, content: Buffer): Buffer {
  const header = Buffer.alloc(20)
  header.writeUInt32LE(6, 0)
  header.writeUInt32LE(content.length, 4)
  header.writeUInt32LE(type, 8)
  header.write('Solo5\0', 12, 'latin1')
  return Buffer.concat([header, content, Buffer.alloc((4 - (content.length % 4)) % 4)])
}

export interface HvtFields {
  readonly target?: number
  readonly version?: number
  /** By handle, from 1 on; handle 0 is Solo5's own. */
  readonly devices?: readonly ('block' | 'net')[]
  readonly text?: string
  /** What its code and data may be used for: 4 to be read, 2 to be written, 1 to be executed. */
  readonly rights?: number
}

export function hvtKernel(code: readonly (readonly number[])[], fields: HvtFields = {}): Uint8Array {
  const types = [1 << 30, ...(fields.devices ?? []).map((kind) => (kind === 'block' ? 1 : 2))]
  // Four bytes before the manifest bring it to its alignment.
  const manifest = Buffer.alloc(4 + 8 + types.length * 104)
  manifest.writeUInt32LE(1, 4)
  manifest.writeUInt32LE(types.length, 8)
  for (const [i, type] of types.entries()) manifest.writeUInt32LE(type, 12 + i * 104 + 68)
  const abi = Buffer.alloc(16)
  abi.writeUInt32LE(fields.target ?? 1, 0)
  abi.writeUInt32LE(fields.version ?? 2, 4)
  const notes = [note(0x3149_4241, abi), note(0x3154_464d, manifest)]

  const image = Buffer.alloc(TEXT + 256)
  image.set([...code.flat(), 0xf4, 0xeb, 0xfd])
  image.write(fields.text ?? '', TEXT)
  const parts = [image, ...notes]
  const start = 64 + 56 * parts.length
  const header = Buffer.alloc(start)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(62, 18)
  header.writeUInt32LE(ADDRESS, 24)
  header.writeUInt32LE(64, 32)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(parts.length, 56)
  let offset = start
  for (const [i, part] of parts.entries()) {
    const at = 64 + i * 56
    header.writeUInt32LE(i === 0 ? 1 : 4, at)
    if (i === 0) header.writeUInt32LE(fields.rights ?? 7, at + 4)
    header.writeUInt32LE(offset, at + 8)
    header.writeUInt32LE(i === 0 ? ADDRESS : 0, at + 24)
    header.writeUInt32LE(part.length, at + 32)
    header.writeUInt32LE(i === 0 ? MEMORY_BYTES : 0, at + 40)
    header.writeUInt32LE(i === 2 ? 8 : 4, at + 48)
    offset += part.length
  }
  return Buffer.concat([header, ...parts])
}
