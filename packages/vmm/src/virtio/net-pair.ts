import type { Registration } from '../io/event-loop.ts'
import { MAX_PACKET_BYTES, NET_HEADER_BYTES, type NetBackend, type NetListener } from '../net/backend.ts'
import type { RateLimiter } from '../rate/token-bucket.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { type DescriptorChain, IovecList } from './chain.ts'
import { VIRTIO_F_VERSION_1 } from './constants.ts'
import type { VirtioContext } from './device.ts'
import { NET_F } from './net-config.ts'

/** Where num_buffers lies in the header. */
const NUM_BUFFERS = 10
const NUM_BUFFERS_BYTES = 2
/** Packets moved in one turn of the loop: after that the thread's other devices come first. */
const TURN = 128
/** How long a large packet waits for the driver to offer more buffers before it has to do with those there are. */
const REFILL_MS = 5
/** How long the backend is left alone after an error that has no name here, so that none can hold the thread. */
const RETRY_MS = 100
/** Ethernet with a VLAN tag and 1500 bytes behind it (5.1.6.3.1 asks drivers for buffers of 1526 bytes). */
const USUAL_PACKET_BYTES = NET_HEADER_BYTES + 18 + 1500

/** Told of every packet that came or went. */
export interface Traffic {
  moved(bytes: number): void
}

/** What the pairs of one card have in common. */
export interface NetPairShared {
  readonly counters: {
    rxPackets: number
    rxBytes: number
    rxDropped: number
    txPackets: number
    txBytes: number
    txDropped: number
    errors: number
  }
  readonly txLimiter: RateLimiter | undefined
  readonly rxLimiter: RateLimiter | undefined
  readonly traffic: Traffic | undefined
  /** Once false it stays so. */
  linkUp: boolean
  /** Called once, by whichever pair hears of it first. */
  linkLost(reason: string): void
}

/**
 * A receive queue, a transmit queue and the backend between them. Packets go straight between the backend and guest
 * memory. While the driver offers no buffers the backend is left unread, so that packets wait (or are dropped) where
 * they come from and not here.
 */
export class NetPair implements NetListener {
  private readonly backend: NetBackend
  private readonly shared: NetPairShared
  /** Indices of the queues. */
  private readonly rx: number
  private readonly tx: number
  private context: VirtioContext | undefined
  private mergeable = false
  /** A legacy driver without MRG_RXBUF has no num_buffers in its header (5.1.6.1). */
  private shortHeader = false
  /** Bytes of buffers that are taken from the ring before a packet is asked for. */
  private wanted = 1

  /** Receive buffers taken from the ring and not yet filled, in order, and their bytes. */
  private readonly held: DescriptorChain[] = []
  private heldBytes = 0
  /** Where they are, all of them, and how many entries each has: a packet takes some, the others stay for the next. */
  private readonly rxIov = new IovecList(256)
  private rxEntries = 0
  private readonly heldEntries: number[] = []
  private readonly txIov = new IovecList(256)
  /** Behind the guest's buffers in every read: shows a packet that is longer than they are. */
  private readonly overflow = new NativeBuffer(MAX_PACKET_BYTES)
  private readonly filler = new NativeBuffer(NUM_BUFFERS_BYTES)
  /** A packet the backend could not take; it goes first when it can. */
  private stuck: DescriptorChain | undefined
  private rxTurn: Registration | undefined
  private txTurn: Registration | undefined
  private waitedForRefill = false

  /** Takes over `backend`. */
  constructor(index: number, backend: NetBackend, shared: NetPairShared) {
    this.rx = index * 2
    this.tx = index * 2 + 1
    this.backend = backend
    this.shared = shared
  }

  activate(context: VirtioContext): void {
    this.context = context
    this.mergeable = (context.features & NET_F.MRG_RXBUF) !== 0n
    this.shortHeader = !this.mergeable && (context.features & VIRTIO_F_VERSION_1) === 0n
    const large = (context.features & (NET_F.GUEST_TSO4 | NET_F.GUEST_TSO6)) !== 0n
    this.wanted = !this.mergeable ? 1 : large ? MAX_PACKET_BYTES : USUAL_PACKET_BYTES
    this.backend.start(context.loop, this)
    this.backend.setOffloads(context.features)
    if (this.shared.linkUp) this.receive()
  }

  refilled(): void {
    this.waitedForRefill = false
    this.receive()
  }

  send(): void {
    if (this.stuck === undefined) this.transmit()
  }

  readable(): void {
    this.receive()
  }

  writable(): void {
    this.backend.watchWritable(false)
    this.transmit()
  }

  linkDown(reason: string): void {
    this.shared.linkLost(reason)
  }

  /** What waits for the backend waits in vain. */
  giveUpStuck(): void {
    if (this.stuck !== undefined) this.transmit()
  }

  /** Gives back every chain it holds, as if never taken. */
  undo(): void {
    const queues = this.context?.queues
    // In the reverse order.
    for (let chain = this.held.pop(); chain !== undefined; chain = this.held.pop())
      queues?.[this.rx]?.undo(chain)
    this.forgetHeld()
    if (this.stuck !== undefined) queues?.[this.tx]?.undo(this.stuck)
    this.stuck = undefined
  }

  reset(): void {
    this.rxTurn?.remove()
    this.txTurn?.remove()
    this.rxTurn = undefined
    this.txTurn = undefined
    this.backend.stop()
    this.forgetHeld()
    this.stuck = undefined
    this.waitedForRefill = false
    this.context = undefined
  }

  close(): void {
    this.reset()
    this.backend.close()
    this.overflow.free()
    this.filler.free()
  }

  private receive(): void {
    const context = this.context
    if (context === undefined || !this.shared.linkUp) return
    this.rxTurn?.remove()
    this.rxTurn = undefined
    for (let packets = 0; ; packets++) {
      if (!this.hold(context)) break
      if (packets === TURN) {
        this.rxTurn = context.loop.after(0, () => this.receive())
        break
      }
      const wait = this.shared.rxLimiter?.waitMs() ?? 0
      if (wait > 0) {
        // Packets wait where they come from, or are lost there, as on a slow line.
        this.backend.watchReadable(false)
        this.rxTurn = context.loop.after(wait, () => this.receive())
        break
      }
      if (!this.receiveOne(context)) break
    }
    context.interrupt(this.rx)
  }

  /**
   * Takes buffers for the next packet from the ring. False: none, or too few for any packet while more may be on
   * their way; the backend is left alone until the driver rings.
   */
  private hold(context: VirtioContext): boolean {
    const queue = context.queues[this.rx]!
    if (!queue.usable) {
      this.backend.watchReadable(false)
      return false
    }
    do {
      while (this.heldBytes < this.wanted) if (!this.holdOne(context)) break
      if (this.heldBytes >= this.wanted) {
        this.waitedForRefill = false
        this.backend.watchReadable(true)
        return true
      }
      // Ask for a ring, then look once more: the driver may have added buffers in between.
    } while (queue.enableNotify())
    const enough = this.held.length > 0 && this.waitedForRefill
    this.backend.watchReadable(enough)
    if (this.held.length > 0 && !enough) {
      this.rxTurn = context.loop.after(REFILL_MS, () => {
        this.waitedForRefill = true
        this.receive()
      })
    }
    return enough
  }

  private holdOne(context: VirtioContext): boolean {
    const chain = context.queues[this.rx]!.pop()
    if (chain === null) return false
    if (chain.writableBytes < NET_HEADER_BYTES) {
      context.fail(`a receive buffer of ${chain.writableBytes} bytes has no room for the header`)
      return false
    }
    const entries = this.packet(chain, true, chain.writableBytes, this.rxIov, this.rxEntries)
    this.heldEntries.push(entries - this.rxEntries)
    this.rxEntries = entries
    this.held.push(chain)
    this.heldBytes += chain.writableBytes
    return true
  }

  private forgetHeld(): void {
    this.held.length = 0
    this.heldEntries.length = 0
    this.heldBytes = 0
    this.rxEntries = 0
  }

  /** Moves one packet to the guest. False: there is none now. */
  private receiveOne(context: VirtioContext): boolean {
    const { rxIov } = this
    // Without MRG_RXBUF a packet is one buffer or nothing.
    const entries = this.mergeable ? this.rxEntries : this.heldEntries[0]!
    const capacity = this.mergeable ? this.heldBytes : this.held[0]!.writableBytes + this.missingBytes
    rxIov.set(entries, this.overflow.address, MAX_PACKET_BYTES)
    const bytes = this.backend.receive(rxIov, entries + 1)
    if (bytes === 0) return false
    if (bytes < 0) {
      this.shared.counters.errors++
      this.backend.watchReadable(false)
      this.rxTurn = context.loop.after(RETRY_MS, () => this.receive())
      return false
    }
    if (bytes < NET_HEADER_BYTES || (bytes > capacity && !this.takeOverflow(context, bytes - capacity))) {
      // Longer than all the driver offers: lost, as on a card whose ring ran dry.
      this.shared.counters.rxDropped++
      return true
    }
    this.shared.rxLimiter?.take(bytes - NET_HEADER_BYTES)
    this.deliver(context, bytes)
    return true
  }

  /** The packet was longer than the buffers at hand: puts the rest into further ones, if there are. */
  private takeOverflow(context: VirtioContext, rest: number): boolean {
    if (!this.mergeable) return false
    const first = this.held.length
    const target = this.heldBytes + rest
    while (this.heldBytes < target) if (!this.holdOne(context)) return false
    let done = 0
    for (let i = first; i < this.held.length; i++) {
      done += this.held[i]!.write(0, this.overflow.bytes.subarray(done, rest))
    }
    return true
  }

  private deliver(context: VirtioContext, bytes: number): void {
    const { held } = this
    const queue = context.queues[this.rx]!
    let chains = 0
    for (let covered = this.missingBytes; covered < bytes; chains++) covered += held[chains]!.writableBytes
    if (!this.shortHeader) {
      held[0]!.writeU8(NUM_BUFFERS, chains & 0xff)
      held[0]!.writeU8(NUM_BUFFERS + 1, chains >>> 8)
    }
    let rest = bytes - this.missingBytes
    for (let i = 0; i < chains; i++) {
      const chain = held[i]!
      const used = Math.min(rest, chain.writableBytes)
      rest -= used
      this.heldBytes -= chain.writableBytes
      queue.fill(chain, used, i)
    }
    queue.publish(chains)
    let dropped = 0
    for (let i = 0; i < chains; i++) dropped += this.heldEntries[i]!
    this.rxIov.drop(dropped, this.rxEntries)
    this.rxEntries -= dropped
    dropFirst(held, chains)
    dropFirst(this.heldEntries, chains)
    this.shared.counters.rxPackets++
    this.shared.counters.rxBytes += bytes - NET_HEADER_BYTES
    this.shared.traffic?.moved(bytes)
  }

  private transmit(): void {
    const context = this.context
    if (context === undefined || this.txTurn !== undefined) return
    const queue = context.queues[this.tx]!
    let left = TURN
    if (this.stuck !== undefined) {
      const chain = this.stuck
      this.stuck = undefined
      if (!this.sendOne(context, chain)) return
    }
    do {
      queue.disableNotify()
      for (;;) {
        const wait = left === 0 ? 0 : (this.shared.txLimiter?.waitMs() ?? 0)
        if (left === 0 || wait > 0) {
          context.interrupt(this.tx)
          this.txTurn = context.loop.after(wait, () => {
            this.txTurn = undefined
            this.transmit()
          })
          return
        }
        const chain = queue.pop()
        if (chain === null) break
        left--
        this.shared.txLimiter?.take(Math.max(0, chain.readableBytes - NET_HEADER_BYTES))
        if (!this.sendOne(context, chain)) {
          context.interrupt(this.tx)
          return
        }
      }
    } while (queue.enableNotify())
    context.interrupt(this.tx)
  }

  private get missingBytes(): number {
    return this.shortHeader ? NUM_BUFFERS_BYTES : 0
  }

  /** Describes a packet as the backend has it: with a place for num_buffers where the driver has none. */
  private packet(
    chain: DescriptorChain,
    writable: boolean,
    bytes: number,
    iov: IovecList,
    at: number,
  ): number {
    if (!this.shortHeader) return chain.iovec(writable, 0, bytes, iov, at)
    const filler = chain.iovec(writable, 0, NUM_BUFFERS, iov, at)
    this.filler.bytes.fill(0)
    iov.set(filler, this.filler.address, NUM_BUFFERS_BYTES)
    return chain.iovec(writable, NUM_BUFFERS, bytes - NUM_BUFFERS, iov, filler + 1)
  }

  /** Sends and returns the chain. False: the backend is full, the chain waits. */
  private sendOne(context: VirtioContext, chain: DescriptorChain): boolean {
    const bytes = chain.readableBytes + this.missingBytes
    let result = -1
    if (bytes > NET_HEADER_BYTES && bytes <= MAX_PACKET_BYTES && this.shared.linkUp) {
      result = this.backend.send(this.txIov, this.packet(chain, false, chain.readableBytes, this.txIov, 0))
      // The link may have gone with this packet.
      if (result === 0 && this.shared.linkUp) {
        this.stuck = chain
        this.backend.watchWritable(true)
        return false
      }
    }
    if (result > 0) {
      this.shared.counters.txPackets++
      this.shared.counters.txBytes += bytes - NET_HEADER_BYTES
      this.shared.traffic?.moved(bytes)
    } else {
      this.shared.counters.txDropped++
    }
    context.queues[this.tx]!.push(chain, 0)
    return true
  }
}

/** By hand: splice would allocate for every packet. */
function dropFirst<T>(list: T[], count: number): void {
  list.copyWithin(0, count)
  list.length -= count
}
