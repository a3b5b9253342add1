/**
 * Turns a fuzzer's bytes into decisions: each call takes the next bytes, and zeroes when none are left. So any input
 * means something, the same input always means the same, and a small change of it is a small change of what happens.
 */
export class ByteSource {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  u8(): number {
    return this.bytes[this.at++] ?? 0
  }

  u16(): number {
    return this.u8() | (this.u8() << 8)
  }

  u32(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0
  }

  /** 0 ≤ n < limit; `limit` is at most 2^32. */
  below(limit: number): number {
    return (limit <= 256 ? this.u8() : limit <= 65536 ? this.u16() : this.u32()) % limit
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === times - 1
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  take(length: number): Uint8Array {
    const part = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    const result = new Uint8Array(length)
    result.set(part)
    return result
  }

  rest(): Uint8Array {
    return this.take(Math.max(0, this.bytes.length - this.at))
  }
}

/** Numbers near the edges where arithmetic goes wrong. */
export const EDGES = [
  0, 1, 2, 7, 8, 15, 16, 255, 256, 511, 512, 4095, 4096, 65535, 65536, 0x7fff_ffff, 0x8000_0000, 0xfffe_ffff,
  0xffff_fff0, 0xffff_ffff,
] as const
