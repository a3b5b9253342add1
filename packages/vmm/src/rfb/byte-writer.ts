/**
 * Bytes in RFB's order (big endian), growing as needed and used again frame after frame. Callers `reserve` what
 * they are about to write; the hot loops then write to `bytes` at `length` themselves.
 */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>
  length = 0

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(new ArrayBuffer(capacity))
  }

  /** Makes room for `count` more bytes. `bytes` may be another array afterwards. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const larger = new Uint8Array(new ArrayBuffer(Math.max(needed, this.bytes.length * 2)))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  u8(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  u16(value: number): void {
    this.reserve(2)
    this.bytes[this.length++] = value >>> 8
    this.bytes[this.length++] = value
  }

  u32(value: number): void {
    this.reserve(4)
    this.bytes[this.length++] = value >>> 24
    this.bytes[this.length++] = value >>> 16
    this.bytes[this.length++] = value >>> 8
    this.bytes[this.length++] = value
  }

  zeros(count: number): void {
    this.reserve(count)
    this.bytes.fill(0, this.length, this.length + count)
    this.length += count
  }

  append(source: Uint8Array): void {
    this.reserve(source.length)
    this.bytes.set(source, this.length)
    this.length += source.length
  }

  /** Overwrites a u16 or u32 written before. */
  patchU16(at: number, value: number): void {
    this.bytes[at] = value >>> 8
    this.bytes[at + 1] = value
  }

  patchU32(at: number, value: number): void {
    this.patchU16(at, value >>> 16)
    this.patchU16(at + 2, value & 0xffff)
  }

  /** The bytes so far as a copy of their own; the writer is empty afterwards. */
  take(): Buffer {
    const copy = Buffer.from(this.bytes.subarray(0, this.length))
    this.length = 0
    return copy
  }
}
