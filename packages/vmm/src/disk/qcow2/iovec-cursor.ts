import type { IovecList } from '../../virtio/chain.ts'

/**
 * Hands out a request's iovecs piece by piece, in order, as the request is split along clusters.
 */
export class IovecCursor {
  private readonly source: IovecList
  private entry = 0
  private used = 0

  constructor(source: IovecList) {
    this.source = source
  }

  /** Describes the next `bytes` bytes in `target` from entry `at` on; returns the entry after the last. The request has that many. */
  take(bytes: number, target: IovecList, at: number): number {
    const { source } = this
    let rest = bytes
    let next = at
    while (rest > 0) {
      const length = source.length(this.entry)
      const count = Math.min(length - this.used, rest)
      if (count > 0) target.set(next++, source.address(this.entry) + this.used, count)
      rest -= count
      this.used += count
      if (this.used === length) {
        this.entry++
        this.used = 0
      }
    }
    return next
  }
}
