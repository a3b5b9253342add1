/**
 * VIRTIO 1.2, section 5.5, the traditional memory balloon: takes pages from the guest and gives them to the host, is told
 * of pages the guest has no use for (free page reporting, 5.5.6.7), and hears how the guest's memory is doing.
 */
import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { VmmBalloon } from '@hearth/shared/vmm-control'
import { MADV, madvise } from '../sys/libc.ts'
import type { DescriptorChain } from './chain.ts'
import { DEVICE_ID } from './constants.ts'
import type { VirtioContext, VirtioDevice } from './device.ts'
import { DeviceConfig } from './device-config.ts'
import type { Virtqueue } from './queue.ts'

/** Section 5.5.3. */
export const BALLOON_F = {
  STATS_VQ: 1n << 1n,
  DEFLATE_ON_OOM: 1n << 2n,
  PAGE_POISON: 1n << 4n,
  REPORTING: 1n << 5n,
}
/** Section 5.5.4. */
const CONFIG = { NUM_PAGES: 0, ACTUAL: 4, POISON_VAL: 12, LENGTH: 16 } as const
/** Section 5.5.6.4, by the tag's number. */
const STATS = [
  ...['swapIn', 'swapOut', 'majorFaults', 'minorFaults', 'free', 'total', 'available', 'caches'],
  ...['hugePagesTaken', 'hugePagesRefused'],
]
const STAT_BYTES = 10
const MAX_STATS = 64
/** Section 5.5.6: pages are of 4 KiB whatever the guest's own are. */
const PAGE = 4096
const QUEUE_SIZE = 128
/** Linux names 256 pages at a time. */
const MAX_LIST_BYTES = 64 * 1024
const STATS_QUEUE = 2

type Role = 'inflate' | 'deflate' | 'stats' | 'reporting'

export class BalloonDevice implements VirtioDevice {
  readonly name = 'balloon'
  readonly deviceId = DEVICE_ID.BALLOON
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE]
  readonly features =
    BALLOON_F.STATS_VQ | BALLOON_F.DEFLATE_ON_OOM | BALLOON_F.PAGE_POISON | BALLOON_F.REPORTING
  readonly config = new DeviceConfig(CONFIG.LENGTH, (offset, size, value) =>
    this.written(offset, size, value),
  )
  readonly counters = { inflatedPages: 0, deflatedPages: 0, reportedBytes: 0, refusedBytes: 0, statistics: 0 }
  private context: VirtioContext | undefined
  /** The driver's statistics buffer: kept until somebody wants new ones. */
  private held: DescriptorChain | undefined
  private stats: Record<string, number> = {}
  private readonly scratch = new Uint8Array(MAX_STATS * STAT_BYTES)
  private readonly keep: boolean

  /**
   * `keep`: pages the guest reports as free stay where they are. The feature is offered all the same, so that what a
   * driver negotiated holds when a snapshot is restored under the other choice.
   */
  constructor({ keep = false }: { keep?: boolean } = {}) {
    this.keep = keep
  }

  /** What the guest is asked for, what it gave, and how its memory was doing when it last said so. */
  get state(): VmmBalloon {
    const { view } = this.config
    return {
      targetBytes: view.getUint32(CONFIG.NUM_PAGES, true) * PAGE,
      actualBytes: view.getUint32(CONFIG.ACTUAL, true) * PAGE,
      reportedBytes: this.counters.reportedBytes,
      statistics: { ...this.stats },
    }
  }

  /** Asks the guest to give so many bytes away, or to take them back; it does when it can. */
  setTarget(bytes: number): void {
    this.config.view.setUint32(CONFIG.NUM_PAGES, Math.floor(bytes / PAGE), true)
    this.context?.configChanged()
  }

  /** Asks the guest for new statistics, which are there some time later. */
  askForStatistics(): void {
    const { held, context } = this
    if (held === undefined || context === undefined) return
    this.held = undefined
    context.queues[STATS_QUEUE]!.push(held, 0)
    context.interrupt(STATS_QUEUE)
  }

  activate(context: VirtioContext): void {
    this.context = context
  }

  notify(index: number): void {
    const { context } = this
    const queue = context?.queues[index]
    if (context === undefined || queue === undefined) return
    const role = this.role(index, context.features)
    // At most one ring's worth a turn; a driver that offers more meanwhile rings again.
    for (let left = QUEUE_SIZE; left > 0; left--) {
      const chain = queue.pop()
      if (chain === null) break
      if (!this.serve(role, queue, index, chain)) return
    }
    if (role !== 'stats') context.interrupt(index)
    if (queue.enableNotify()) context.loop.after(0, () => this.notify(index))
  }

  save(): VirtioDeviceState<'balloon'> {
    if (this.held !== undefined) this.context?.queues[STATS_QUEUE]?.undo(this.held)
    this.held = undefined
    const { view } = this.config
    return {
      targetPages: view.getUint32(CONFIG.NUM_PAGES, true),
      actualPages: view.getUint32(CONFIG.ACTUAL, true),
      poison: view.getUint32(CONFIG.POISON_VAL, true),
    }
  }

  restore(state: VirtioDeviceState<'balloon'>): void {
    const { view } = this.config
    view.setUint32(CONFIG.NUM_PAGES, state.targetPages, true)
    view.setUint32(CONFIG.ACTUAL, state.actualPages, true)
    view.setUint32(CONFIG.POISON_VAL, state.poison, true)
  }

  reset(): void {
    this.context = undefined
    this.held = undefined
    this.stats = {}
    // The pages are the driver's again; what the host wants stays.
    this.config.view.setUint32(CONFIG.ACTUAL, 0, true)
    this.config.view.setUint32(CONFIG.POISON_VAL, 0, true)
  }

  close(): void {
    this.reset()
  }

  /**
   * Drivers number the queues they know from 0 without gaps, as Linux does, where the specification leaves a place for
   * those that were not negotiated; no device could tell, so the last ones are all for reports.
   */
  private role(index: number, features: bigint): Role {
    if (index < 2) return index === 0 ? 'inflate' : 'deflate'
    return index === STATS_QUEUE && (features & BALLOON_F.STATS_VQ) !== 0n ? 'stats' : 'reporting'
  }

  /** Returns whether the queue may go on. */
  private serve(role: Role, queue: Virtqueue, index: number, chain: DescriptorChain): boolean {
    if (role === 'stats') {
      this.takeStatistics(queue, chain)
      return true
    }
    if (role === 'reporting') this.report(chain)
    else if (!this.takePages(role, chain)) {
      queue.push(chain, 0)
      this.context!.fail(`queue ${index} names pages that are no memory`)
      return false
    }
    queue.push(chain, 0)
    return true
  }

  private takeStatistics(queue: Virtqueue, chain: DescriptorChain): void {
    // A driver that offers a second buffer has no use for the first.
    if (this.held !== undefined) queue.push(this.held, 0)
    this.held = chain
    const bytes = this.scratch.subarray(0, Math.min(chain.readableBytes, this.scratch.length))
    const view = new DataView(bytes.buffer, 0, chain.read(0, bytes))
    const stats: Record<string, number> = {}
    for (let at = 0; at + STAT_BYTES <= view.byteLength; at += STAT_BYTES) {
      const name = STATS[view.getUint16(at, true)]
      if (name !== undefined) stats[name] = Number(view.getBigUint64(at + 2, true))
    }
    this.stats = stats
    this.counters.statistics++
  }

  /** A list of u32 page numbers. False when it is not one, or one of them is outside RAM. */
  private takePages(role: 'inflate' | 'deflate', chain: DescriptorChain): boolean {
    const { memory } = this.context!
    const { readableBytes } = chain
    if (readableBytes % 4 !== 0 || readableBytes > MAX_LIST_BYTES) return false
    // Neighbours go together: a system call for a run of pages instead of for each.
    let first = 0
    let count = 0
    for (let at = 0; at < readableBytes; at += 4) {
      const page = chain.readU32(at)
      if (memory.contiguous(page * PAGE, PAGE) !== PAGE) return false
      if (role === 'deflate') continue
      if (count > 0 && page === first - 1) first = page
      else if (count === 0 || page !== first + count) {
        this.discardPages(first, count)
        first = page
        count = 0
      }
      count++
    }
    this.discardPages(first, count)
    if (role === 'inflate') this.counters.inflatedPages += readableBytes / 4
    else this.counters.deflatedPages += readableBytes / 4
    return true
  }

  private discardPages(first: number, count: number): void {
    const { memory } = this.context!
    for (let at = first * PAGE, rest = count * PAGE; rest > 0; ) {
      const length = memory.contiguous(at, rest)
      this.discard(memory.hostAddress(at, length), length)
      at += length
      rest -= length
    }
  }

  /** Pages the guest does not use now; it takes them again by touching them. */
  private report(chain: DescriptorChain): void {
    if (this.keep) return
    // They would have to hold the guest's pattern when they come back, and what comes back is zero.
    if (this.config.view.getUint32(CONFIG.POISON_VAL, true) !== 0) return
    const end = chain.readableCount + chain.writableCount
    for (let i = chain.readableCount; i < end; i++) {
      const host = chain.hosts[i]!
      const start = Math.ceil(host / PAGE) * PAGE
      const length = Math.floor((host + chain.lengths[i]!) / PAGE) * PAGE - start
      if (length > 0 && this.discard(start, length)) this.counters.reportedBytes += length
    }
  }

  /**
   * Gives the memory behind the addresses back to the host. Memory that is a private copy of a snapshot's file, or parts
   * of huge pages, the kernel does not take: then it stays.
   */
  private discard(address: number, length: number): boolean {
    if (madvise(address, length, MADV.REMOVE) === 0) return true
    this.counters.refusedBytes += length
    return false
  }

  private written(offset: number, size: number, value: number): void {
    if (size !== 4 || (offset !== CONFIG.ACTUAL && offset !== CONFIG.POISON_VAL)) return
    this.config.view.setUint32(offset, value, true)
  }
}
