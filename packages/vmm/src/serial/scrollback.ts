/** The last bytes of output, addressed by their position in the whole stream, so that each viewer keeps one number. */
export class Scrollback {
  private readonly bytes: Uint8Array
  private total = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Position after the newest byte; grows for ever. */
  get end(): number {
    return this.total
  }

  /** Position of the oldest byte still here. */
  get start(): number {
    return Math.max(0, this.total - this.bytes.length)
  }

  append(chunk: Uint8Array): void {
    const { bytes } = this
    const kept = chunk.length > bytes.length ? chunk.subarray(chunk.length - bytes.length) : chunk
    const at = (this.total + chunk.length - kept.length) % bytes.length
    const first = Math.min(kept.length, bytes.length - at)
    bytes.set(kept.subarray(0, first), at)
    bytes.set(kept.subarray(first), 0)
    this.total += chunk.length
  }

  /** A copy of at most `max` bytes from `position` on; `position` must lie within [start, end]. */
  read(position: number, max: number): Uint8Array {
    const { bytes } = this
    const count = Math.min(max, this.total - position)
    const result = new Uint8Array(count)
    const at = position % bytes.length
    const first = Math.min(count, bytes.length - at)
    result.set(bytes.subarray(at, at + first))
    result.set(bytes.subarray(0, count - first), first)
    return result
  }
}
