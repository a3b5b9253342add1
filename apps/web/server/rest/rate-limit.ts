/** A bucket a caller: `limit` requests at once, filling up again evenly over `windowMs`. */
export interface Allowance {
  readonly allowed: boolean
  readonly limit: number
  readonly remaining: number
  /** When the bucket is full again, Unix seconds. */
  readonly reset: number
}

export class RateLimit {
  readonly #limit: number
  readonly #perMs: number
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(limit: number, windowMs: number) {
    this.#limit = limit
    this.#perMs = limit / windowMs
  }

  take(caller: string, now = Date.now()): Allowance {
    this.#forgetFull(now)
    const left = this.#left(caller, now)
    const allowed = left >= 1
    const after = allowed ? left - 1 : left
    this.#buckets.set(caller, { left: after, at: now })
    return {
      allowed,
      limit: this.#limit,
      remaining: Math.floor(after),
      reset: Math.ceil((now + (this.#limit - after) / this.#perMs) / 1000),
    }
  }

  #left(caller: string, now: number): number {
    const bucket = this.#buckets.get(caller)
    return bucket ? Math.min(this.#limit, bucket.left + (now - bucket.at) * this.#perMs) : this.#limit
  }

  /** Who has been away long enough is as good as new: the map stays as small as the number of busy callers. */
  #forgetFull(now: number): void {
    if (this.#buckets.size < 1000) return
    for (const caller of this.#buckets.keys())
      if (this.#left(caller, now) >= this.#limit) this.#buckets.delete(caller)
  }
}
