import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { DiskBackend, DiskListener } from '../disk/backend.ts'
import type { DiskChanges } from '../disk/changes.ts'
import type { Registration } from '../io/event-loop.ts'
import type { RateLimiter } from '../rate/token-bucket.ts'
import {
  BLOCK_F,
  BLOCK_STATUS,
  BLOCK_T,
  blockConfig,
  DISCARD_LIMITS,
  ID_BYTES,
  MAX_IN_FLIGHT,
  QUEUE_SIZE,
  SECTOR,
  WRITE_ZEROES_FLAG_UNMAP,
} from './block-config.ts'
import { type DescriptorChain, IovecList } from './chain.ts'
import { DEVICE_ID } from './constants.ts'
import type { VirtioContext, VirtioDevice } from './device.ts'
import type { DeviceConfig } from './device-config.ts'
import type { Virtqueue } from './queue.ts'

export interface BlockOptions {
  readonly readOnly: boolean
  /** What the guest reads by GET_ID and shows in /dev/disk/by-id; at most 20 bytes. */
  readonly serial: string
  readonly limiter?: RateLimiter | undefined
  /** One when absent. A driver that knows of more gives each of its processors one of its own. */
  readonly queues?: number | undefined
  /** Learns what the guest writes. */
  readonly changes?: DiskChanges | undefined
  /** The guest is told of no cache: a write is durable when it ends. */
  readonly writeThrough?: boolean | undefined
}

const HEADER_BYTES = 16
const SEGMENT_BYTES = 16
/** Requests taken in one turn of the loop: after that the thread's other devices come first. */
const TURN = 128

/** A request between pop and push; its index in the table is the backend's tag. */
interface Request {
  readonly tag: number
  chain: DescriptorChain | null
  /** Which queue it came by. */
  queue: number
  type: number
  /** Of the data, without header and status. */
  bytes: number
  /** What it writes of the disk at the moment; nothing when `length` is 0. */
  offset: number
  length: number
  /** Discard and write zeroes: the segment at work. */
  segment: number
  /** A write is being made durable (write-through). */
  flushing: boolean
}

/**
 * VIRTIO 1.2, section 5.2: a disk. Parses requests, checks every bound, and leaves the bytes to a backend
 * that moves them straight between file and guest memory. It allocates nothing per request once as many
 * were in flight as ever will be.
 *
 * Guest I/O must not stall the network device on the same thread, so the backend may complete later and in
 * any order: the kernel works in an io_uring while this thread goes on, or one thread of ours where there is none
 * (`disk/rings.ts`).
 */
export class BlockDevice implements VirtioDevice, DiskListener {
  readonly name = 'block'
  readonly deviceId = DEVICE_ID.BLOCK
  readonly queueSizes: readonly number[]
  readonly features: bigint
  readonly config: DeviceConfig
  readonly counters = {
    reads: 0,
    readBytes: 0,
    writes: 0,
    writeBytes: 0,
    flushes: 0,
    discards: 0,
    errors: 0,
  }
  private readonly backend: DiskBackend
  private readonly limiter: RateLimiter | undefined
  private readonly changes: DiskChanges | undefined
  private readonly readOnly: boolean
  private readonly capacitySectors: number
  private readonly id: Uint8Array
  private readonly iov = new IovecList(QUEUE_SIZE)
  private readonly requests: Request[] = []
  private readonly free: Request[] = []
  private writeBack = true
  /** Of a request that no driver made. */
  private ownErrno = 0
  private started = false
  private context: VirtioContext | undefined
  private queues: readonly Virtqueue[] = []
  /** Of each queue that is to be looked at later. */
  private readonly turns: (Registration | undefined)[]
  /** A queue was left alone because nothing more could be begun. */
  private crowded = false

  /** Takes over `backend`. */
  constructor(backend: DiskBackend, options: BlockOptions) {
    this.backend = backend
    this.limiter = options.limiter
    this.changes = options.changes
    this.readOnly = options.readOnly || backend.readOnly
    this.capacitySectors = Math.floor(backend.sizeBytes / SECTOR)
    const queues = options.queues ?? 1
    this.queueSizes = new Array(queues).fill(QUEUE_SIZE)
    this.turns = new Array(queues).fill(undefined)
    this.id = new TextEncoder().encode(options.serial).subarray(0, ID_BYTES)
    const { config, features } = blockConfig(backend, this.readOnly, queues, (value) => {
      this.writeBack = value
    })
    this.config = config
    this.features = options.writeThrough ? features & ~(BLOCK_F.FLUSH | BLOCK_F.CONFIG_WCE) : features
  }

  activate(context: VirtioContext): void {
    this.context = context
    this.queues = context.queues
    if (!this.started) this.backend.start(context.loop, this)
    this.started = true
    // 5.2.6.2: a driver that cannot flush is given a disk that needs no flush.
    const canFlush = (context.features & BLOCK_F.FLUSH) !== 0n
    this.writeBack = canFlush
    this.config.view.setUint8(32, canFlush ? 1 : 0)
  }

  notify(index: number): void {
    const queue = this.queues[index]
    if (queue === undefined || this.turns[index] !== undefined) return
    let left = TURN
    do {
      queue.disableNotify()
      for (;;) {
        const wait = left === 0 ? 0 : (this.limiter?.waitMs() ?? 0)
        if (left === 0 || wait > 0) {
          this.later(index, wait)
          this.backend.submit()
          this.batchEnded()
          return
        }
        if (this.free.length === 0 && this.requests.length >= MAX_IN_FLIGHT) {
          this.crowded = true
          this.backend.submit()
          this.batchEnded()
          return
        }
        const chain = queue.pop()
        if (chain === null) break
        left--
        this.limiter?.take(Math.max(0, chain.readableBytes + chain.writableBytes - HEADER_BYTES - 1))
        this.begin(chain, index)
      }
    } while (queue.enableNotify())
    this.backend.submit()
    this.batchEnded()
  }

  save(): VirtioDeviceState<'block'> {
    // Whatever was in flight is told to the driver, whose memory is saved after this.
    this.backend.finish()
    if (!this.readOnly) {
      // A request of nobody's: `completed` passes it by.
      const { tag } = this.take(null)
      this.ownErrno = 0
      this.backend.flush(tag)
      this.backend.finish()
      this.free.push(this.requests[tag]!)
      if (this.ownErrno !== 0) throw new Error(`a disk cannot be made durable (errno ${this.ownErrno})`)
    }
    this.batchEnded()
    return { writeBack: this.writeBack }
  }

  restore(state: VirtioDeviceState<'block'>): void {
    this.writeBack = state.writeBack
    this.config.view.setUint8(32, state.writeBack ? 1 : 0)
  }

  reset(): void {
    for (const [i, turn] of this.turns.entries()) {
      turn?.remove()
      this.turns[i] = undefined
    }
    this.crowded = false
    // The kernel may be writing into guest memory that is the driver's again after the reset.
    this.backend.drain()
    for (const request of this.requests) {
      if (request.chain === null) continue
      this.changes?.mark(request.offset, request.length)
      request.chain = null
      this.free.push(request)
    }
    this.context = undefined
    this.queues = []
  }

  close(): void {
    this.reset()
    this.backend.close()
  }

  completed(tag: number, errno: number): void {
    const request = this.requests[tag]!
    if (request.chain === null) {
      this.ownErrno = errno
      return
    }
    // Also after an error: part of it may have been written.
    this.changes?.mark(request.offset, request.length)
    request.length = 0
    if (errno !== 0) {
      this.finish(request, errno === EOPNOTSUPP ? BLOCK_STATUS.UNSUPP : BLOCK_STATUS.IOERR)
      return
    }
    switch (request.type) {
      case BLOCK_T.OUT:
        if (!this.writeBack && !request.flushing) {
          request.flushing = true
          this.backend.flush(tag)
          this.backend.submit()
          return
        }
        break
      case BLOCK_T.DISCARD:
      case BLOCK_T.WRITE_ZEROES:
        request.segment++
        if (request.segment * SEGMENT_BYTES < request.bytes) {
          this.nextSegment(request)
          return
        }
    }
    this.finish(request, BLOCK_STATUS.OK)
  }

  batchEnded(): void {
    const { context, turns } = this
    if (context === undefined) return
    for (let i = 0; i < turns.length; i++) context.interrupt(i)
    if (!this.crowded || this.free.length === 0) return
    this.crowded = false
    for (let i = 0; i < turns.length; i++) if (turns[i] === undefined) this.later(i, 0)
  }

  private later(index: number, ms: number): void {
    this.turns[index] = this.context?.loop.after(ms, () => {
      this.turns[index] = undefined
      this.notify(index)
    })
  }

  private begin(chain: DescriptorChain, queue: number): void {
    // Without room for header and status there is nobody to tell (5.2.6).
    if (chain.readableBytes < HEADER_BYTES || chain.writableBytes < 1) {
      this.context?.fail(
        `request of ${chain.readableBytes} readable and ${chain.writableBytes} writable bytes`,
      )
      return
    }
    const request = this.take(chain, queue)
    request.type = chain.readU32(0)
    const sector = chain.readU32(8) + chain.readU32(12) * 0x1_0000_0000
    switch (request.type) {
      case BLOCK_T.IN:
        request.bytes = chain.writableBytes - 1
        this.counters.reads++
        this.counters.readBytes += request.bytes
        this.transfer(request, sector, false)
        break
      case BLOCK_T.OUT:
        request.bytes = chain.readableBytes - HEADER_BYTES
        this.counters.writes++
        this.counters.writeBytes += request.bytes
        if (this.readOnly) this.finish(request, BLOCK_STATUS.IOERR)
        else this.transfer(request, sector, true)
        break
      case BLOCK_T.FLUSH:
        this.counters.flushes++
        if (this.readOnly) this.finish(request, BLOCK_STATUS.OK)
        else this.backend.flush(request.tag)
        break
      case BLOCK_T.GET_ID:
        this.getId(request)
        break
      case BLOCK_T.DISCARD:
      case BLOCK_T.WRITE_ZEROES:
        this.ranges(request)
        break
      default:
        this.finish(request, BLOCK_STATUS.UNSUPP)
    }
  }

  private transfer(request: Request, sector: number, write: boolean): void {
    const { bytes } = request
    // The sum stays exact: a sector above 2^53 is far past any capacity.
    if (bytes % SECTOR !== 0 || sector + bytes / SECTOR > this.capacitySectors) {
      this.finish(request, BLOCK_STATUS.IOERR)
      return
    }
    if (bytes === 0) {
      this.finish(request, BLOCK_STATUS.OK)
      return
    }
    const count = request.chain!.iovec(!write, write ? HEADER_BYTES : 0, bytes, this.iov, 0)
    if (write) {
      request.offset = sector * SECTOR
      request.length = bytes
      this.backend.write(request.tag, this.iov, count, request.offset)
    } else this.backend.read(request.tag, this.iov, count, sector * SECTOR)
  }

  private getId(request: Request): void {
    const chain = request.chain!
    request.bytes = Math.min(ID_BYTES, chain.writableBytes - 1)
    const padded = new Uint8Array(request.bytes)
    padded.set(this.id.subarray(0, request.bytes))
    chain.write(0, padded)
    this.finish(request, BLOCK_STATUS.OK)
  }

  /** 5.2.6: discard and write zeroes carry one or more ranges as data. */
  private ranges(request: Request): void {
    this.counters.discards++
    const offered = request.type === BLOCK_T.DISCARD ? BLOCK_F.DISCARD : BLOCK_F.WRITE_ZEROES
    if ((this.features & offered) === 0n) {
      this.finish(request, BLOCK_STATUS.UNSUPP)
      return
    }
    const bytes = request.chain!.readableBytes - HEADER_BYTES
    const segments = bytes / SEGMENT_BYTES
    if (!Number.isInteger(segments) || segments < 1 || segments > DISCARD_LIMITS.segments) {
      this.finish(request, BLOCK_STATUS.IOERR)
      return
    }
    request.bytes = bytes
    this.nextSegment(request)
  }

  private nextSegment(request: Request): void {
    const chain = request.chain!
    const at = HEADER_BYTES + request.segment * SEGMENT_BYTES
    const sector = chain.readU32(at) + chain.readU32(at + 4) * 0x1_0000_0000
    const sectors = chain.readU32(at + 8)
    const flags = chain.readU32(at + 12)
    const discard = request.type === BLOCK_T.DISCARD
    // 5.2.6.2: unknown flags, and unmap on a discard, are unsupported.
    const known = discard ? 0 : WRITE_ZEROES_FLAG_UNMAP
    if ((flags & ~known) !== 0) {
      this.finish(request, BLOCK_STATUS.UNSUPP)
      return
    }
    if (sectors > DISCARD_LIMITS.sectors || sector + sectors > this.capacitySectors) {
      this.finish(request, BLOCK_STATUS.IOERR)
      return
    }
    if (sectors === 0) {
      this.completed(request.tag, 0)
      return
    }
    const offset = sector * SECTOR
    const length = sectors * SECTOR
    request.offset = offset
    request.length = length
    if (discard) this.backend.discard(request.tag, offset, length)
    else this.backend.zero(request.tag, offset, length, (flags & WRITE_ZEROES_FLAG_UNMAP) !== 0)
    this.backend.submit()
  }

  private finish(request: Request, status: number): void {
    const chain = request.chain!
    request.chain = null
    this.free.push(request)
    if (status !== BLOCK_STATUS.OK) this.counters.errors++
    chain.writeU8(chain.writableBytes - 1, status)
    const dataWritten =
      status === BLOCK_STATUS.OK && (request.type === BLOCK_T.IN || request.type === BLOCK_T.GET_ID)
    this.queues[request.queue]?.push(chain, (dataWritten ? request.bytes : 0) + 1)
  }

  private take(chain: DescriptorChain | null, queue = 0): Request {
    let request = this.free.pop()
    if (request === undefined) {
      request = {
        tag: this.requests.length,
        chain,
        queue,
        type: 0,
        bytes: 0,
        offset: 0,
        length: 0,
        segment: 0,
        flushing: false,
      }
      this.requests.push(request)
    }
    request.chain = chain
    request.queue = queue
    request.bytes = 0
    request.length = 0
    request.segment = 0
    request.flushing = false
    return request
  }
}

const EOPNOTSUPP = 95
