/**
 * The page tables a Solo5 unikernel starts with: its memory one to one, and each page with what its ELF segment may. A
 * null pointer, a write to code and a jump into data are then faults that its own handler reports.
 */
import { BOOT, HIGH_MEMORY } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import type { ElfSegment } from './elf.ts'

const PAGE = 4096
const LARGE_PAGE = 512 * PAGE
const GIB = 512 * LARGE_PAGE

const PRESENT = 1n
const WRITABLE = 2n
const LARGE = 0x80n
const NO_EXECUTE = 1n << 63n
const TABLE = PRESENT | WRITABLE
const ABSENT = 0n
const EVERYTHING = PRESENT | WRITABLE

/** Returns the address of the topmost table. There is room for a table at both ends of every segment a file may have. */
export function writeHvtPages(
  memory: GuestMemory,
  memoryBytes: number,
  segments: readonly ElfSegment[],
): number {
  let next: number = BOOT.hvt.pageTables
  const place = (entries: bigint[]): bigint => {
    const address = next
    memory.write(address, new Uint8Array(new BigUint64Array(entries).buffer))
    next += PAGE
    return BigInt(address)
  }
  const root = BOOT.hvt.pageTables
  next += PAGE
  const gibs: bigint[] = []
  for (let gib = 0; gib < memoryBytes; gib += GIB) {
    const directory: bigint[] = []
    for (let at = gib; at < Math.min(gib + GIB, memoryBytes); at += LARGE_PAGE) {
      const pages = piece(at, segments)
      const alike = pages.every((page) => page === pages[0])
      const entry = (page: bigint, i: number): bigint =>
        page === ABSENT ? ABSENT : page | BigInt(at + i * PAGE)
      directory.push(alike ? entry(pages[0]!, 0) | LARGE : place(pages.map(entry)) | TABLE)
    }
    gibs.push(place(filled(directory)) | TABLE)
  }
  const top = place(filled(gibs))
  memory.write(root, new Uint8Array(new BigUint64Array(filled([top | TABLE])).buffer))
  return root
}

/** What may be done with each of the 512 pages from `start` on. */
function piece(start: number, segments: readonly ElfSegment[]): bigint[] {
  const near = segments.filter(
    (segment) => segment.address < start + LARGE_PAGE && segment.address + segment.memorySize > start,
  )
  return Array.from({ length: 512 }, (_, i) => {
    const at = start + i * PAGE
    if (at < HIGH_MEMORY) return at >= BOOT.hvt.info && at < BOOT.hvt.end ? PRESENT | NO_EXECUTE : ABSENT
    const here = near.filter(
      (segment) => segment.address < at + PAGE && segment.address + segment.memorySize > at,
    )
    if (here.length === 0) return EVERYTHING
    const writable = here.some((segment) => segment.writable) ? WRITABLE : 0n
    return PRESENT | writable | (here.some((segment) => segment.executable) ? 0n : NO_EXECUTE)
  })
}

const filled = (entries: readonly bigint[]): bigint[] =>
  Array.from({ length: 512 }, (_, i) => entries[i] ?? ABSENT)
