/** Guest RAM as one sparse file: region after region without the holes between them. */
import type { GuestRegion } from '../memory/guest-memory.ts'
import type { GuestRam } from '../memory/guest-ram.ts'
import { check, ftruncate, pwriteAt, viewOf } from '../sys/libc.ts'

/** Pages are written together when they lie together; the event loop turns after each piece. */
const PIECE = 4 * 1024 * 1024
const PAGE = 4096

/**
 * Writes all of `ram` that is not zero into the empty file `fd`. No vCPU and no device may run meanwhile. Returns
 * the bytes written.
 */
export async function writeMemoryFile(fd: number, ram: GuestRam): Promise<number> {
  check('ftruncate', ftruncate(fd, ram.size))
  let written = 0
  for (const { offset, length } of ram.extents()) {
    for (let done = 0; done < length; done += PIECE) {
      written += writePiece(fd, ram.regions, offset + done, Math.min(PIECE, length - done))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return written
}

function writePiece(fd: number, regions: readonly GuestRegion[], offset: number, length: number): number {
  let written = 0
  let base = 0
  for (const region of regions) {
    const start = Math.max(offset, base)
    const end = Math.min(offset + length, base + region.size)
    if (start < end) written += writeRange(fd, region.hostAddress + (start - base), start, end - start)
    base += region.size
  }
  return written
}

/** Runs of pages that are not zero; a page that is stays a hole. */
function writeRange(fd: number, address: number, offset: number, length: number): number {
  const words = new BigUint64Array(viewOf(address, length))
  let written = 0
  for (let at = 0; at < length; ) {
    if (isZero(words, at)) {
      at += PAGE
      continue
    }
    const start = at
    while (at < length && !isZero(words, at)) at += PAGE
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
