import type { GuestMemory } from '../../memory/guest-memory.ts'
import type { DescriptorChain } from '../chain.ts'
import { MEM_ENTRY_BYTES } from './protocol.ts'

/** A list longer than any picture's pages: 64 MiB in pages of 4 KiB. */
const MAX_ENTRIES = 16384

/** Guest pages behind a resource (VIRTIO 1.2, 5.7.6.8, struct virtio_gpu_mem_entry), read as one run of bytes. */
export class Backing {
  readonly bytes: number
  private readonly memory: GuestMemory
  /** Address of each piece and where it begins in the run; a piece never crosses a region of RAM. */
  private readonly addresses: number[]
  private readonly starts: number[]

  private constructor(memory: GuestMemory, addresses: number[], starts: number[], bytes: number) {
    this.memory = memory
    this.addresses = addresses
    this.starts = starts
    this.bytes = bytes
  }

  /** Reads `count` entries from `offset` of the request; null when one is missing, empty or not RAM. */
  static read(memory: GuestMemory, chain: DescriptorChain, offset: number, count: number): Backing | null {
    if (count > MAX_ENTRIES || offset + count * MEM_ENTRY_BYTES > chain.readableBytes) return null
    // One copy, so that what is checked is what is used.
    const entries = new Uint8Array(count * MEM_ENTRY_BYTES)
    chain.read(offset, entries)
    const view = new DataView(entries.buffer)
    const pieces = Array.from({ length: count }, (_, i): readonly [number, number] => [
      view.getUint32(i * MEM_ENTRY_BYTES, true) +
        view.getUint32(i * MEM_ENTRY_BYTES + 4, true) * 0x1_0000_0000,
      view.getUint32(i * MEM_ENTRY_BYTES + 8, true),
    ])
    return Backing.of(memory, pieces)
  }

  /** Address and length of each piece; null when one is empty or not RAM. */
  static of(memory: GuestMemory, pieces: readonly (readonly [number, number])[]): Backing | null {
    const addresses: number[] = []
    const starts: number[] = []
    let bytes = 0
    for (const [start, length] of pieces) {
      let address = start
      let rest = length
      if (rest === 0) return null
      while (rest > 0) {
        const piece = memory.contiguous(address, rest)
        if (piece === 0) return null
        addresses.push(address)
        starts.push(bytes)
        bytes += piece
        address += piece
        rest -= piece
      }
    }
    return new Backing(memory, addresses, starts, bytes)
  }

  /** What the list costs us. */
  get pieces(): number {
    return this.addresses.length
  }

  /** For a snapshot: what `of` takes. */
  save(): [number, number][] {
    return this.addresses.map((address, i) => [address, (this.starts[i + 1] ?? this.bytes) - this.starts[i]!])
  }

  /** Copies `length` bytes from `offset` on to `target` at `to`. The caller checked the range. */
  copy(offset: number, length: number, target: Uint8Array, to: number): void {
    let piece = this.find(offset)
    let at = offset
    let done = to
    let rest = length
    while (rest > 0) {
      const start = this.starts[piece]!
      const end = piece + 1 < this.starts.length ? this.starts[piece + 1]! : this.bytes
      const count = Math.min(rest, end - at)
      target.set(this.memory.bytes(this.addresses[piece]! + (at - start), count), done)
      at += count
      done += count
      rest -= count
      piece++
    }
  }

  /** The last piece that begins at or before `offset`. */
  private find(offset: number): number {
    let low = 0
    let high = this.starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}
