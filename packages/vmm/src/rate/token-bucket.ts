/**
 * Rate limits. A bucket fills at a fixed rate up to its size, the burst; work may begin while anything is in it and is
 * paid for in full, on credit if need be. So work of any size passes, and over time the rate is exact.
 */

export interface RateLimit {
  readonly bytesPerSecond?: number | undefined
  readonly operationsPerSecond?: number | undefined
  /** How long an idle bucket fills; absent: `BURST_SECONDS`. */
  readonly burstSeconds?: number | undefined
}

/** How long an idle bucket fills: a device that rested may do as much at once as it may in this time. */
export const BURST_SECONDS = 1

/** `now` is in milliseconds and never goes back. */
export class TokenBucket {
  private readonly perMs: number
  private readonly size: number
  private readonly now: () => number
  private tokens: number
  private filledAt: number

  /** Begins full. */
  constructor(perSecond: number, size: number, now: () => number) {
    this.perMs = perSecond / 1000
    this.size = size
    this.now = now
    this.tokens = size
    this.filledAt = now()
  }

  /** How long until work may begin; 0: now. */
  waitMs(): number {
    const now = this.now()
    this.tokens = Math.min(this.size, this.tokens + (now - this.filledAt) * this.perMs)
    this.filledAt = now
    return this.tokens > 0 ? 0 : -this.tokens / this.perMs + Number.EPSILON
  }

  take(tokens: number): void {
    this.tokens -= tokens
  }
}

/** Bytes and operations together: work waits for both. */
export class RateLimiter {
  private readonly bytes: TokenBucket | undefined
  private readonly operations: TokenBucket | undefined

  constructor(limit: RateLimit, now: () => number = () => performance.now()) {
    const { burstSeconds = BURST_SECONDS } = limit
    const bucket = (perSecond: number | undefined): TokenBucket | undefined =>
      perSecond === undefined ? undefined : new TokenBucket(perSecond, perSecond * burstSeconds, now)
    this.bytes = bucket(limit.bytesPerSecond)
    this.operations = bucket(limit.operationsPerSecond)
  }

  /** Whole milliseconds to wait, at least 1; 0: work may begin now. */
  waitMs(): number {
    const wait = Math.max(this.bytes?.waitMs() ?? 0, this.operations?.waitMs() ?? 0)
    return wait > 0 ? Math.max(1, Math.ceil(wait)) : 0
  }

  /** Pays for one operation that was begun. */
  take(bytes: number): void {
    this.bytes?.take(bytes)
    this.operations?.take(1)
  }
}
