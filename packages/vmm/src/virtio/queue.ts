import type { GuestMemory } from '../memory/guest-memory.ts'
import { DescriptorChain } from './chain.ts'
import {
  MAX_QUEUE_SIZE,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_DESC_F,
  VIRTQ_USED_F_NO_NOTIFY,
} from './constants.ts'

/** What a driver can do wrong with a ring, by name; the section is that of VIRTIO 1.2. */
export type VirtqueueFault =
  /** 2.7: not a power of two, zero, or more than the device offered. */
  | 'bad-queue-size'
  /** 2.7: descriptor table, available or used ring not aligned to 16, 2, 4 bytes. */
  | 'ring-misaligned'
  | 'ring-outside-ram'
  /** 2.7.13.3: the available index ran ahead by more than the queue holds. */
  | 'avail-index-jump'
  | 'descriptor-index-out-of-range'
  | 'descriptor-loop'
  | 'chain-too-long'
  /** 2.7.5: a buffer of no bytes means nothing. */
  | 'zero-length-descriptor'
  /** 2.7.5.2: more than 2^32 bytes in one chain. */
  | 'chain-over-4-gib'
  | 'buffer-outside-ram'
  /** 2.7.4.2: readable elements come before all writable ones. */
  | 'readable-after-writable'
  /** 2.7.5.3: without the feature, inside an indirect table, with NEXT, or a table length that is not n × 16. */
  | 'indirect-not-negotiated'
  | 'indirect-nested'
  | 'indirect-with-next'
  | 'indirect-bad-length'
  | 'indirect-outside-ram'

/** The driver broke a rule of the ring: the queue stops and the device needs a reset. */
export class VirtqueueError extends Error {
  readonly fault: VirtqueueFault
  readonly queue: number
  constructor(fault: VirtqueueFault, queue: number, detail: string) {
    super(`queue ${queue}: ${fault} (${detail})`)
    this.name = 'VirtqueueError'
    this.fault = fault
    this.queue = queue
  }
}

/** Where the driver put a queue and what it negotiated. Addresses are guest physical. */
export interface VirtqueueLayout {
  readonly size: number
  readonly descriptors: number
  readonly available: number
  readonly used: number
  readonly eventIndex: boolean
  readonly indirect: boolean
}

/** How far both sides are; all but the last are u16. */
export interface RingPosition {
  readonly nextAvailable: number
  readonly nextUsed: number
  readonly signalledUsed: number
  readonly notifyOff: boolean
}

const DESCRIPTOR_BYTES = 16
const FOUR_GIB = 0x1_0000_0000
/** A locked operation on this is the full barrier that x86 needs between a store and a later load. */
const barrier = new Int32Array(1)

/**
 * The device side of a split virtqueue (VIRTIO 1.2, section 2.7). It owns every invariant of the ring: a device
 * gets chains that are checked, or none. It never throws at a device: a broken rule stops the queue, is told to
 * `failed` by name, and `pop` answers null until the transport enables the queue again.
 *
 * The guest runs meanwhile and may write anything anywhere: every field is read exactly once. `pop` and `push`
 * allocate nothing once the pool of chains has grown to what the driver keeps in flight.
 */
export class Virtqueue {
  readonly index: number
  /** The most entries this queue may have. */
  readonly maxSize: number
  private readonly memory: GuestMemory
  private readonly failed: (error: VirtqueueError) => void
  private readonly pool: DescriptorChain[] = []

  private live = false
  private paused = false
  private size = 0
  private descriptors = 0
  private available = 0
  private used = 0
  private eventIndex = false
  private indirect = false

  /** Next entry of the available ring to take, and next of the used ring to fill; both run through all of u16. */
  private nextAvailable = 0
  private nextUsed = 0
  /** `nextUsed` when the driver was last asked whether it wants an interrupt. */
  private signalledUsed = 0
  private notifyOff = false

  constructor(
    memory: GuestMemory,
    index: number,
    maxSize: number,
    failed: (error: VirtqueueError) => void = () => {},
  ) {
    this.memory = memory
    this.index = index
    this.maxSize = maxSize
    this.failed = failed
  }

  /** Whether the driver enabled it and has broken no rule since. */
  get enabled(): boolean {
    return this.live
  }

  /** Whether chains may be taken and filled now: enabled, and not paused. */
  get usable(): boolean {
    return this.live && !this.paused
  }

  /** Takes the driver's layout into use. Throws VirtqueueError when it cannot be right. */
  enable(layout: VirtqueueLayout): void {
    const { size, descriptors, available, used } = layout
    const limit = Math.min(this.maxSize, MAX_QUEUE_SIZE)
    if (!(size > 0) || size > limit || (size & (size - 1)) !== 0) {
      throw this.error('bad-queue-size', `${size}, at most ${limit}`)
    }
    const parts = [
      ['descriptor table', descriptors, size * DESCRIPTOR_BYTES, 16],
      ['available ring', available, 6 + size * 2, 2],
      ['used ring', used, 6 + size * 8, 4],
    ] as const
    for (const [part, address, bytes, alignment] of parts) {
      if (address % alignment !== 0) throw this.error('ring-misaligned', `${part} at ${hex(address)}`)
      if (!this.memory.contains(address, bytes)) {
        throw this.error('ring-outside-ram', `${part} at ${hex(address)}, ${bytes} bytes`)
      }
    }
    this.size = size
    this.descriptors = descriptors
    this.available = available
    this.used = used
    this.eventIndex = layout.eventIndex
    this.indirect = layout.indirect
    this.nextAvailable = 0
    this.nextUsed = 0
    this.signalledUsed = 0
    this.notifyOff = false
    this.live = true
  }

  /** Where the ring stands; for a snapshot, with no chain in a device's hands. */
  save(): RingPosition {
    const { nextAvailable, nextUsed, signalledUsed, notifyOff } = this
    return { nextAvailable, nextUsed, signalledUsed, notifyOff }
  }

  /** After `enable`. Any position is safe: one that does not fit the ring is what a hostile driver could make as well. */
  restore(position: RingPosition): void {
    this.nextAvailable = position.nextAvailable
    this.nextUsed = position.nextUsed
    this.signalledUsed = position.signalledUsed
    this.notifyOff = position.notifyOff
  }

  /** Forgets the layout; chains still held by the device must not be pushed any more (a push does nothing). */
  disable(): void {
    this.live = false
  }

  /** While paused (bus mastering off) the queue looks empty and its memory is not touched. */
  setPaused(paused: boolean): void {
    this.paused = paused
  }

  /**
   * The next available chain, or null when there is none. The chain is the caller's until it gives it back with
   * `push` or `undo`.
   */
  pop(): DescriptorChain | null {
    if (!this.live || this.paused) return null
    const pending = (this.memory.readU16(this.available + 2) - this.nextAvailable) & 0xffff
    if (pending === 0) return null
    if (pending > this.size) {
      return this.stop('avail-index-jump', `${pending} new entries in a queue of ${this.size}`)
    }
    const slot = this.nextAvailable & (this.size - 1)
    const head = this.memory.readU16(this.available + 4 + slot * 2)
    const chain = this.pool.pop() ?? new DescriptorChain(this.memory)
    chain.clear(head)
    if (!this.collect(chain, this.descriptors, this.size, head, false)) {
      this.pool.push(chain)
      return null
    }
    this.nextAvailable = (this.nextAvailable + 1) & 0xffff
    return chain
  }

  /** Gives the last popped chain back untouched, so that the next `pop` returns it again. */
  undo(chain: DescriptorChain): void {
    this.pool.push(chain)
    if (this.live) this.nextAvailable = (this.nextAvailable - 1) & 0xffff
  }

  /** Returns the chain to the driver; the first `written` bytes of its writable part were written. */
  push(chain: DescriptorChain, written: number): void {
    this.fill(chain, written, 0)
    this.publish(1)
  }

  /**
   * Writes the used element `ahead` places after the last published one, without showing it yet: for a packet
   * that takes several chains, which the driver must see all at once (5.1.6.4). `publish` follows.
   */
  fill(chain: DescriptorChain, written: number, ahead: number): void {
    this.pool.push(chain)
    if (!this.live) return
    // The kernel may have filled it through an iovec, past every other place where writes are noted.
    if (this.memory.dirty !== undefined) chain.markWritable(this.memory.dirty)
    const slot = (this.nextUsed + ahead) & (this.size - 1)
    const element = this.used + 4 + slot * 8
    this.memory.writeU32(element, chain.head)
    this.memory.writeU32(element + 4, written)
  }

  /** Shows `count` filled elements to the driver. */
  publish(count: number): void {
    if (!this.live) return
    this.nextUsed = (this.nextUsed + count) & 0xffff
    // x86 keeps stores in order, and so does the compiler: the elements are visible before the index.
    this.memory.writeU16(this.used + 2, this.nextUsed)
  }

  /** Whether the driver wants to hear of what was pushed since the last call (2.7.7 and 2.7.10). */
  needsInterrupt(): boolean {
    if (!this.live || this.nextUsed === this.signalledUsed) return false
    // The index must be visible before the driver's wish is read, else both sides may sleep.
    Atomics.add(barrier, 0, 0)
    const before = this.signalledUsed
    this.signalledUsed = this.nextUsed
    if (!this.eventIndex) {
      return (this.memory.readU16(this.available) & VIRTQ_AVAIL_F_NO_INTERRUPT) === 0
    }
    const usedEvent = this.memory.readU16(this.available + 4 + this.size * 2)
    return ((this.nextUsed - usedEvent - 1) & 0xffff) < ((this.nextUsed - before) & 0xffff)
  }

  /** Asks the driver not to ring while the device is looking anyway (a hint). */
  disableNotify(): void {
    if (!this.live || this.paused || this.notifyOff) return
    this.notifyOff = true
    // With EVENT_IDX the index stays where it is: the driver has passed it and does not ring again.
    if (!this.eventIndex) this.memory.writeU16(this.used, VIRTQ_USED_F_NO_NOTIFY)
  }

  /** Chains the driver has made available and nobody popped; a queue that is stopped has none. */
  get availableCount(): number {
    if (!this.live) return 0
    return (this.memory.readU16(this.available + 2) - this.nextAvailable) & 0xffff
  }

  /** Asks the driver to ring for the next chain. True: chains came meanwhile, look again instead of waiting. */
  enableNotify(): boolean {
    if (!this.live || this.paused) return false
    this.notifyOff = false
    if (this.eventIndex) this.memory.writeU16(this.used + 4 + this.size * 8, this.nextAvailable)
    else this.memory.writeU16(this.used, 0)
    Atomics.add(barrier, 0, 0)
    return this.memory.readU16(this.available + 2) !== this.nextAvailable
  }

  /**
   * Walks the chain that begins at `first` of the table. One walk visits at most as many descriptors as the
   * table has; more is a loop. False: the queue was stopped.
   */
  private collect(
    chain: DescriptorChain,
    table: number,
    entries: number,
    first: number,
    inIndirect: boolean,
  ): boolean {
    const memory = this.memory
    let next = first
    for (let visited = 0; ; visited++) {
      if (next >= entries) return this.stopped('descriptor-index-out-of-range', `${next} of ${entries}`)
      if (visited >= entries) return this.stopped('descriptor-loop', `from ${first}`)
      const descriptor = table + next * DESCRIPTOR_BYTES
      const address = memory.readU64(descriptor)
      const length = memory.readU32(descriptor + 8)
      const flags = memory.readU16(descriptor + 12)
      next = memory.readU16(descriptor + 14)
      if ((flags & VIRTQ_DESC_F.INDIRECT) !== 0) {
        if (!this.collectIndirect(chain, address, length, flags, inIndirect)) return false
      } else if (!this.addBuffer(chain, address, length, (flags & VIRTQ_DESC_F.WRITE) !== 0)) {
        return false
      }
      if ((flags & VIRTQ_DESC_F.NEXT) === 0) return true
    }
  }

  private collectIndirect(
    chain: DescriptorChain,
    table: number,
    bytes: number,
    flags: number,
    inIndirect: boolean,
  ): boolean {
    if (!this.indirect) return this.stopped('indirect-not-negotiated', '')
    if (inIndirect) return this.stopped('indirect-nested', '')
    if ((flags & VIRTQ_DESC_F.NEXT) !== 0) return this.stopped('indirect-with-next', '')
    if (bytes === 0 || bytes % DESCRIPTOR_BYTES !== 0) {
      return this.stopped('indirect-bad-length', `${bytes} bytes`)
    }
    const entries = bytes / DESCRIPTOR_BYTES
    // 2.7.5.3.1: a chain is not longer than the queue. Measured by what the device offered, not by what the
    // driver made of it: Linux may shrink a ring for want of memory and still fill the seg_max it was told.
    if (entries > this.maxSize) return this.stopped('chain-too-long', `${entries} of ${this.maxSize}`)
    // A table across a region border is served when no field of it straddles the border.
    if (this.memory.contiguous(table, bytes) < bytes) {
      if (!this.memory.contains(table, bytes) || table % DESCRIPTOR_BYTES !== 0) {
        return this.stopped('indirect-outside-ram', `${hex(table)}, ${bytes} bytes`)
      }
    }
    return this.collect(chain, table, entries, 0, true)
  }

  private addBuffer(chain: DescriptorChain, address: number, length: number, writable: boolean): boolean {
    if (length === 0) return this.stopped('zero-length-descriptor', '')
    if (!writable && chain.writableCount > 0) return this.stopped('readable-after-writable', '')
    if (chain.readableBytes + chain.writableBytes + length > FOUR_GIB) {
      return this.stopped('chain-over-4-gib', '')
    }
    let at = address
    let rest = length
    while (rest > 0) {
      const piece = this.memory.contiguous(at, rest)
      if (piece === 0) return this.stopped('buffer-outside-ram', `${hex(address)}, ${length} bytes`)
      chain.append(at, piece, writable)
      at += piece
      rest -= piece
    }
    return true
  }

  private stopped(fault: VirtqueueFault, detail: string): false {
    this.stop(fault, detail)
    return false
  }

  private stop(fault: VirtqueueFault, detail: string): null {
    this.live = false
    this.failed(this.error(fault, detail))
    return null
  }

  private error(fault: VirtqueueFault, detail: string): VirtqueueError {
    return new VirtqueueError(fault, this.index, detail)
  }
}

const hex = (value: number): string => `0x${value.toString(16)}`
