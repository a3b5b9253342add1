/** Which pages of RAM were written: a bit a page, of RAM counted without the holes between its regions. */
import type { GuestRegion } from './guest-memory.ts'
import type { RamExtent } from './guest-ram.ts'

export const PAGE = 4096

export class DirtyPages {
  readonly bits: Uint8Array
  private readonly regions: readonly GuestRegion[]

  constructor(regions: readonly GuestRegion[]) {
    this.regions = regions
    const bytes = regions.reduce((sum, region) => sum + region.size, 0)
    this.bits = new Uint8Array(Math.ceil(bytes / PAGE / 8))
  }

  /** Marks every page that [address, address + length) touches. Allocates nothing. */
  mark(address: number, length: number): void {
    let base = 0
    for (const { guestAddress, size } of this.regions) {
      const start = Math.max(address, guestAddress)
      const end = Math.min(address + length, guestAddress + size)
      for (let at = start; at < end; at = (Math.floor(at / PAGE) + 1) * PAGE) {
        const page = Math.floor((base + at - guestAddress) / PAGE)
        this.bits[page >>> 3]! |= 1 << (page & 7)
      }
      base += size
    }
  }

  /** Adds the pages that `other` has, beginning with its first bit at page `first` (a multiple of 8). */
  add(other: Uint8Array, first = 0): void {
    const offset = first / 8
    for (let i = 0; i < other.length; i++) this.bits[offset + i]! |= other[i]!
  }

  clear(): void {
    this.bits.fill(0)
  }

  /** Runs of marked pages, in order. */
  *extents(): Generator<RamExtent> {
    const pages = this.bits.length * 8
    for (let page = 0; page < pages; page++) {
      if (this.bits[page >>> 3] === 0) {
        page |= 7
        continue
      }
      if (!this.has(page)) continue
      const start = page
      while (page < pages && this.has(page)) page++
      yield { offset: start * PAGE, length: (page - start) * PAGE }
    }
  }

  private has(page: number): boolean {
    return (this.bits[page >>> 3]! & (1 << (page & 7))) !== 0
  }
}
