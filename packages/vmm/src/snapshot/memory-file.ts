/** Guest RAM as one sparse file: region after region without the holes between them. */

import { type DirtyPages, PAGE } from '../memory/dirty-pages.ts'
import type { GuestRegion } from '../memory/guest-memory.ts'
import { fileExtents, type GuestRam } from '../memory/guest-ram.ts'
import { check, ftruncate, preadAt, pwriteAt, viewOf } from '../sys/libc.ts'

/** Pages are written together when they lie together; the event loop turns after each piece. */
const PIECE = 4 * 1024 * 1024

/**
 * Writes all of `ram` that is not zero into the empty file `fd`; with `changed` those pages instead, zero or not, over what it has. No vCPU and no device may run meanwhile. Returns
 * the bytes written.
 */
export async function writeMemoryFile(fd: number, ram: GuestRam, changed?: DirtyPages): Promise<number> {
  check('ftruncate', ftruncate(fd, ram.size))
  let written = 0
  for (const { offset, length } of changed?.extents() ?? ram.extents()) {
    for (let done = 0; done < length; done += PIECE) {
      const piece = Math.min(PIECE, length - done)
      written += writePiece(fd, ram.regions, offset + done, piece, changed !== undefined)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return written
}

/** Puts what an incremental snapshot's file has over memory that holds what it is based on. */
export function applyMemoryFile(fd: number, ram: GuestRam): void {
  for (const { offset, length } of fileExtents(fd, ram.size)) {
    let base = 0
    for (const region of ram.regions) {
      const start = Math.max(offset, base)
      const end = Math.min(offset + length, base + region.size)
      for (let at = start; at < end; ) {
        const count = check('pread', preadAt(fd, region.hostAddress + (at - base), end - at, at))
        if (count === 0) break
        at += count
      }
      base += region.size
    }
  }
}

function writePiece(
  fd: number,
  regions: readonly GuestRegion[],
  offset: number,
  length: number,
  zeroesToo: boolean,
): number {
  let written = 0
  let base = 0
  for (const region of regions) {
    const start = Math.max(offset, base)
    const end = Math.min(offset + length, base + region.size)
    if (start < end)
      written += writeRange(fd, region.hostAddress + (start - base), start, end - start, zeroesToo)
    base += region.size
  }
  return written
}

/** Runs of pages that are not zero; one that is stays a hole, unless what lies below the hole would show. */
function writeRange(fd: number, address: number, offset: number, length: number, zeroesToo: boolean): number {
  const words = new BigUint64Array(viewOf(address, length))
  let written = 0
  for (let at = 0; at < length; ) {
    if (!zeroesToo && isZero(words, at)) {
      at += PAGE
      continue
    }
    const start = at
    while (at < length && (zeroesToo || !isZero(words, at))) at += PAGE
    written += at - start
    while (start < at) {
      const count = check('pwrite', pwriteAt(fd, address + start, at - start, offset + start))
      if (count === at - start) break
    }
  }
  return written
}

function isZero(words: BigUint64Array, at: number): boolean {
  const end = (at + PAGE) / 8
  for (let i = at / 8; i < end; i++) if (words[i] !== 0n) return false
  return true
}
