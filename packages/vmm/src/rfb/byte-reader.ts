/** Bytes of a viewer that were not parsed yet. Holds at most what one message may have, see `client-messages.ts`. */
export class ByteReader {
  private bytes = new Uint8Array(4096)
  private view = new DataView(this.bytes.buffer)
  private start = 0
  private end = 0
  /** Bytes still to come that nobody wants. */
  private unwanted = 0

  /** What is there to read. */
  get available(): number {
    return this.end - this.start
  }

  append(chunk: Uint8Array): void {
    const skipped = Math.min(this.unwanted, chunk.length)
    this.unwanted -= skipped
    const count = chunk.length - skipped
    if (count === 0) return
    if (this.end + count > this.bytes.length) this.makeRoom(count)
    this.bytes.set(skipped === 0 ? chunk : chunk.subarray(skipped), this.end)
    this.end += count
  }

  /** Drops `count` bytes, also those that are still on their way. */
  skip(count: number): void {
    const here = Math.min(count, this.available)
    this.start += here
    this.unwanted += count - here
  }

  /* Peeks at offsets from the next unread byte; the caller has looked at `available`. */
  u8(offset: number): number {
    return this.view.getUint8(this.start + offset)
  }
  u16(offset: number): number {
    return this.view.getUint16(this.start + offset)
  }
  u32(offset: number): number {
    return this.view.getUint32(this.start + offset)
  }
  i32(offset: number): number {
    return this.view.getInt32(this.start + offset)
  }
  /** A copy. */
  slice(offset: number, length: number): Uint8Array {
    return this.bytes.slice(this.start + offset, this.start + offset + length)
  }

  private makeRoom(count: number): void {
    const rest = this.available
    if (rest + count > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, rest + count))
      larger.set(this.bytes.subarray(this.start, this.end))
      this.bytes = larger
      this.view = new DataView(larger.buffer)
    } else {
      this.bytes.copyWithin(0, this.start, this.end)
    }
    this.start = 0
    this.end = rest
  }
}
