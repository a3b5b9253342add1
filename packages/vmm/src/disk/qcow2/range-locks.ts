/** A request for clusters of a disk. */
export interface Range {
  /** Of the clusters. */
  readonly first: number
  readonly end: number
  /** It may be at work beside others that are shared, too. */
  readonly shared: boolean
  begin(): void
}

/**
 * Keeps requests for the same clusters apart, unless both are shared: the later one begins when the earlier one has
 * ended. Nobody overtakes who waits for the same clusters, else a stream of reads would hold a discard back for ever.
 */
export class RangeLocks {
  private readonly held = new Set<Range>()
  private waiting: Range[] = []
  /** Held ranges that are not shared. */
  private exclusive = 0

  /** Whether a range that is not shared is held or waits: then even one that is may have to. */
  get contended(): boolean {
    return this.exclusive > 0 || this.waiting.length > 0
  }

  /** Begins `range` now or later. */
  take(range: Range): void {
    if (this.mayBegin(range, this.waiting)) this.begin(range)
    else this.waiting.push(range)
  }

  release(range: Range): void {
    this.held.delete(range)
    if (!range.shared) this.exclusive--
    if (this.waiting.length === 0) return
    const before: Range[] = []
    const ready: Range[] = []
    for (const next of this.waiting) {
      if (this.mayBegin(next, before)) {
        this.hold(next)
        ready.push(next)
      } else before.push(next)
    }
    this.waiting = before
    for (const next of ready) next.begin()
  }

  /** Those that have not begun never will. */
  forgetWaiting(): void {
    this.waiting = []
  }

  private begin(range: Range): void {
    this.hold(range)
    range.begin()
  }

  private hold(range: Range): void {
    this.held.add(range)
    if (!range.shared) this.exclusive++
  }

  private mayBegin(range: Range, earlier: readonly Range[]): boolean {
    if (range.shared && this.exclusive === 0 && earlier.length === 0) return true
    for (const other of this.held) if (conflict(range, other)) return false
    for (const other of earlier) if (conflict(range, other)) return false
    return true
  }
}

const conflict = (a: Range, b: Range): boolean =>
  !(a.shared && b.shared) && a.first < b.end && b.first < a.end
