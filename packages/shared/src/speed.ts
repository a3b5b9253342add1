const windowMs = 5000
const bucketMs = 250

/**
 * Bytes a second over the last five seconds, of a transfer that `add` is told of: steady enough to read, quick enough to be
 * true. `now` is a clock in milliseconds.
 */
export class SpeedMeter {
  readonly #now: () => number
  readonly #began: number
  #buckets: { at: number; bytes: number }[] = []

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#began = now()
  }

  add(bytes: number): void {
    const now = this.#now()
    const last = this.#buckets.at(-1)
    if (last && now - last.at < bucketMs) last.bytes += bytes
    else this.#buckets.push({ at: now, bytes })
    while (this.#buckets[0] && now - this.#buckets[0].at > windowMs) this.#buckets.shift()
  }

  get bytesPerSecond(): number {
    const now = this.#now()
    const recent = this.#buckets.filter(({ at }) => now - at <= windowMs)
    const bytes = recent.reduce((sum, bucket) => sum + bucket.bytes, 0)
    const seconds = Math.max(bucketMs, Math.min(windowMs, now - this.#began)) / 1000
    return Math.round(bytes / seconds)
  }
}
