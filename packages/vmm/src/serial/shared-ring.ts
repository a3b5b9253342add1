/**
 * A byte queue between two threads in shared memory: one writer, one reader, no lock. Either end may be many
 * threads if they hold a lock of their own. Allocates nothing.
 */
const HEAD = 0
const TAIL = 1
const HEADER_WORDS = 2

export class SharedRing {
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly mask: number

  /** Bytes of shared memory a ring of `capacity` (a power of two) takes. */
  static byteLength(capacity: number): number {
    return HEADER_WORDS * 4 + capacity
  }

  constructor(buffer: SharedArrayBuffer, byteOffset: number, capacity: number) {
    if (capacity <= 0 || (capacity & (capacity - 1)) !== 0)
      throw new RangeError('a ring has a power of two bytes')
    this.words = new Int32Array(buffer, byteOffset, HEADER_WORDS)
    this.bytes = new Uint8Array(buffer, byteOffset + HEADER_WORDS * 4, capacity)
    this.mask = capacity - 1
  }

  get capacity(): number {
    return this.mask + 1
  }

  /** Bytes written and not yet read. The counters wrap at 2^32. */
  get length(): number {
    return (Atomics.load(this.words, HEAD) - Atomics.load(this.words, TAIL)) >>> 0
  }

  /** False, and nothing written, when the ring is full. */
  push(byte: number): boolean {
    const head = Atomics.load(this.words, HEAD)
    if ((head - Atomics.load(this.words, TAIL)) >>> 0 > this.mask) return false
    this.bytes[head & this.mask] = byte
    Atomics.store(this.words, HEAD, (head + 1) | 0)
    return true
  }

  /** Writes all of `source`, seen by the reader at once; false, and nothing written, when it does not fit. */
  write(source: Uint8Array): boolean {
    const head = Atomics.load(this.words, HEAD)
    if (((head - Atomics.load(this.words, TAIL)) >>> 0) + source.length > this.capacity) return false
    const start = head & this.mask
    const first = Math.min(source.length, this.capacity - start)
    this.bytes.set(source.subarray(0, first), start)
    this.bytes.set(source.subarray(first), 0)
    Atomics.store(this.words, HEAD, (head + source.length) | 0)
    return true
  }

  /** The next byte, or -1. */
  shift(): number {
    const tail = Atomics.load(this.words, TAIL)
    if (tail === Atomics.load(this.words, HEAD)) return -1
    const byte = this.bytes[tail & this.mask]!
    Atomics.store(this.words, TAIL, (tail + 1) | 0)
    return byte
  }

  /** Moves up to `target.length` bytes out; returns how many. */
  read(target: Uint8Array): number {
    const tail = Atomics.load(this.words, TAIL)
    const count = Math.min(target.length, (Atomics.load(this.words, HEAD) - tail) >>> 0)
    const start = tail & this.mask
    const first = Math.min(count, this.capacity - start)
    target.set(this.bytes.subarray(start, start + first))
    target.set(this.bytes.subarray(0, count - first), first)
    Atomics.store(this.words, TAIL, (tail + count) | 0)
    return count
  }

  /** A copy of what is not yet read; the reader's side. */
  peek(): Uint8Array {
    const tail = Atomics.load(this.words, TAIL)
    const count = (Atomics.load(this.words, HEAD) - tail) >>> 0
    return Uint8Array.from({ length: count }, (_, i) => this.bytes[(tail + i) & this.mask]!)
  }

  /** Drops everything not yet read; the reader's side. */
  clear(): void {
    Atomics.store(this.words, TAIL, Atomics.load(this.words, HEAD))
  }
}
