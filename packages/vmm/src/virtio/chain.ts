import type { DirtyPages } from '../memory/dirty-pages.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'

/**
 * One descriptor chain as a device sees it: the readable bytes, then the writable bytes, each a list of
 * segments that are known to be RAM and never cross a region border. Framing means nothing (VIRTIO 1.2,
 * section 2.7.4): a device asks for bytes by their offset in the readable or writable part.
 *
 * The queue owns chains and uses them again after `push`; a device keeps one only between `pop` and `push`.
 * The bytes themselves stay the guest's, which may change them at any time: read a field once, then trust the copy.
 */
export class DescriptorChain {
  /** Index of the first descriptor: the id that goes into the used ring. */
  head = 0
  readableCount = 0
  writableCount = 0
  readableBytes = 0
  writableBytes = 0
  /** Guest addresses, addresses in this process, and lengths; readable segments first. */
  addresses = new Float64Array(8)
  hosts = new Float64Array(8)
  lengths = new Float64Array(8)
  readonly memory: GuestMemory

  constructor(memory: GuestMemory) {
    this.memory = memory
  }

  clear(head: number): void {
    this.head = head
    this.readableCount = 0
    this.writableCount = 0
    this.readableBytes = 0
    this.writableBytes = 0
  }

  /** Appends a segment; the queue has checked it and never appends a readable one after a writable one. */
  append(address: number, length: number, writable: boolean): void {
    const at = this.readableCount + this.writableCount
    if (at === this.lengths.length) this.grow()
    this.addresses[at] = address
    this.hosts[at] = this.memory.hostAddress(address, length)
    this.lengths[at] = length
    if (writable) {
      this.writableCount++
      this.writableBytes += length
    } else {
      this.readableCount++
      this.readableBytes += length
    }
  }

  /** Notes all of its writable part. */
  markWritable(dirty: DirtyPages): void {
    const end = this.readableCount + this.writableCount
    for (let i = this.readableCount; i < end; i++) dirty.mark(this.addresses[i]!, this.lengths[i]!)
  }

  private grow(): void {
    const size = this.lengths.length * 2
    for (const field of ['addresses', 'hosts', 'lengths'] as const) {
      const larger = new Float64Array(size)
      larger.set(this[field])
      this[field] = larger
    }
  }

  /** A little-endian u32 of the readable part. The caller has checked that `offset + 4 <= readableBytes`. */
  readU32(offset: number): number {
    let rest = offset
    for (let i = 0; i < this.readableCount; i++) {
      const length = this.lengths[i]!
      if (rest + 4 <= length) return this.memory.readU32(this.addresses[i]! + rest)
      if (rest < length) break
      rest -= length
    }
    let value = 0
    for (let byte = 3; byte >= 0; byte--) value = value * 256 + this.readU8(offset + byte)
    return value
  }

  readU8(offset: number): number {
    let rest = offset
    for (let i = 0; i < this.readableCount; i++) {
      const length = this.lengths[i]!
      if (rest < length) return this.memory.readU8(this.addresses[i]! + rest)
      rest -= length
    }
    throw new RangeError(`offset ${offset} is past the ${this.readableBytes} readable bytes`)
  }

  /** Copies readable bytes from `offset` on into `target`; returns how many there were. */
  read(offset: number, target: Uint8Array): number {
    let skip = offset
    let done = 0
    for (let i = 0; i < this.readableCount && done < target.length; i++) {
      const length = this.lengths[i]!
      if (skip >= length) {
        skip -= length
        continue
      }
      const count = Math.min(length - skip, target.length - done)
      target.set(this.memory.bytes(this.addresses[i]! + skip, count), done)
      done += count
      skip = 0
    }
    return done
  }

  /** Copies `source` to the writable bytes from `offset` on; returns how many fitted. */
  write(offset: number, source: Uint8Array): number {
    let skip = offset
    let done = 0
    const end = this.readableCount + this.writableCount
    for (let i = this.readableCount; i < end && done < source.length; i++) {
      const length = this.lengths[i]!
      if (skip >= length) {
        skip -= length
        continue
      }
      const count = Math.min(length - skip, source.length - done)
      this.memory.bytes(this.addresses[i]! + skip, count).set(source.subarray(done, done + count))
      done += count
      skip = 0
    }
    return done
  }

  /** Writes the byte at `offset` of the writable part. */
  writeU8(offset: number, value: number): void {
    let rest = offset
    const end = this.readableCount + this.writableCount
    for (let i = this.readableCount; i < end; i++) {
      const length = this.lengths[i]!
      if (rest < length) {
        this.memory.writeU8(this.addresses[i]! + rest, value)
        return
      }
      rest -= length
    }
    throw new RangeError(`offset ${offset} is past the ${this.writableBytes} writable bytes`)
  }

  /**
   * Describes `count` bytes of the readable (or writable) part from `offset` on as struct iovec {u64 base,
   * u64 length}, written to `iov` from entry `at` on; returns the entry after the last. Allocates nothing.
   */
  iovec(writable: boolean, offset: number, count: number, iov: IovecList, at: number): number {
    let skip = offset
    let rest = count
    let entry = at
    const first = writable ? this.readableCount : 0
    const end = writable ? this.readableCount + this.writableCount : this.readableCount
    for (let i = first; i < end && rest > 0; i++) {
      const length = this.lengths[i]!
      if (skip >= length) {
        skip -= length
        continue
      }
      const bytes = Math.min(length - skip, rest)
      iov.set(entry++, this.hosts[i]! + skip, bytes)
      rest -= bytes
      skip = 0
    }
    return entry
  }
}

/** An array of struct iovec in memory of ours; grows, and is used again and again. */
export class IovecList {
  /** What `preadv` and friends take. */
  words: Uint32Array

  /** `memory` lets it begin in a place of the caller's, 4 words an entry. */
  constructor(entries: number, memory?: Uint32Array) {
    this.words = memory ?? new Uint32Array(entries * 4)
  }

  /** Becomes a copy of the first `count` entries of `other`. */
  copy(other: IovecList, count: number): void {
    const from = other.words
    const to = this.words
    for (let i = 0; i < count * 4; i++) to[i] = from[i]!
  }

  clone(count: number): IovecList {
    const clone = new IovecList(count)
    clone.copy(this, count)
    return clone
  }

  /** The bytes that the first `count` entries name. */
  total(count: number): number {
    let bytes = 0
    for (let i = 0; i < count; i++) bytes += this.length(i)
    return bytes
  }

  set(entry: number, address: number, length: number): void {
    const at = entry * 4
    if (at + 4 > this.words.length) {
      const larger = new Uint32Array(this.words.length * 2)
      larger.set(this.words)
      this.words = larger
    }
    const words = this.words
    // A word takes the low 32 bits of what is stored into it: no `%`, which is a call of fmod, twice a buffer.
    words[at] = address
    words[at + 1] = address / 0x1_0000_0000
    words[at + 2] = length
    words[at + 3] = length / 0x1_0000_0000
  }

  /** Forgets the first `dropped` of `count` entries; the others move to the beginning. */
  drop(dropped: number, count: number): void {
    this.words.copyWithin(0, dropped * 4, count * 4)
  }

  length(entry: number): number {
    return this.words[entry * 4 + 2]! + this.words[entry * 4 + 3]! * 0x1_0000_0000
  }

  address(entry: number): number {
    return this.words[entry * 4]! + this.words[entry * 4 + 1]! * 0x1_0000_0000
  }

  /** Forgets the first `bytes` bytes of `count` entries starting at `first`; returns the first entry that has bytes left. */
  advance(first: number, count: number, bytes: number): number {
    let entry = first
    let rest = bytes
    while (entry < first + count) {
      const length = this.length(entry)
      if (rest < length) {
        this.set(entry, this.address(entry) + rest, length - rest)
        break
      }
      rest -= length
      entry++
    }
    return entry
  }
}
