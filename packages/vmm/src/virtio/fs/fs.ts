import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import { type DescriptorChain, IovecList } from '../chain.ts'
import { DEVICE_ID } from '../constants.ts'
import type { VirtioContext, VirtioDevice } from '../device.ts'
import { DeviceConfig } from '../device-config.ts'
import { MAX_IOVECS, type Message, REQUEST_BYTES } from './message.ts'
import {
  IN_HEADER,
  IN_HEADER_BYTES,
  isUnanswered,
  OPCODE,
  OUT_HEADER_BYTES,
  TRANSFER,
  TRANSFER_BYTES,
} from './protocol.ts'
import { type FsServer, MAX_MESSAGES } from './server.ts'

/** For forgetting and interrupting, which have no answer. */
const HIGH_PRIORITY_SIZE = 64
const REQUEST_SIZE = 256
/** VIRTIO 1.2, section 5.11.4: the tag, then the number of request queues. */
const TAG_BYTES = 36
const CONFIG_BYTES = TAG_BYTES + 4
const REQUEST_QUEUES = 1

interface UnderWay {
  chain: DescriptorChain | undefined
  queue: number
}

/**
 * VIRTIO 1.2, section 5.11: a file system whose requests are FUSE's. The device moves requests and answers between
 * rings and the server's messages, and says where in guest memory a file's data goes; what a request means is the
 * session's.
 */
export class FsDevice implements VirtioDevice {
  readonly name = 'fs'
  readonly deviceId = DEVICE_ID.FS
  readonly queueSizes = [HIGH_PRIORITY_SIZE, REQUEST_SIZE]
  readonly features = 0n
  readonly config = new DeviceConfig(CONFIG_BYTES)
  readonly counters = { requests: 0, readBytes: 0, writtenBytes: 0, errors: 0 }
  private readonly server: FsServer
  private readonly underWay: UnderWay[]
  private readonly free: number[]
  private readonly iov = new IovecList(REQUEST_SIZE)
  /** Queues left alone until a message is free. */
  private readonly waiting = new Set<number>()
  private context: VirtioContext | undefined
  private started = false

  /** Takes over the server. `tag` is what the guest mounts it by: 1 to 36 bytes. */
  constructor(tag: string, server: FsServer) {
    const bytes = Buffer.from(tag)
    if (bytes.length === 0 || bytes.length > TAG_BYTES) throw new RangeError(`tag of ${bytes.length} bytes`)
    new Uint8Array(this.config.view.buffer).set(bytes)
    this.config.view.setUint32(TAG_BYTES, REQUEST_QUEUES, true)
    this.server = server
    this.underWay = Array.from({ length: MAX_MESSAGES }, () => ({ chain: undefined, queue: 0 }))
    this.free = this.underWay.map((_, index) => index)
  }

  activate(context: VirtioContext): void {
    this.context = context
    if (this.started) return
    this.started = true
    this.server.start(context.loop, {
      answered: (index) => this.answered(index),
      batchEnded: () => this.batchEnded(),
    })
  }

  notify(index: number): void {
    this.take(index)
    this.context?.interrupt(index)
  }

  save(): VirtioDeviceState<'fs'> {
    this.server.finish()
    this.batchEnded()
    return this.server.save()
  }

  restore(state: VirtioDeviceState<'fs'>): void {
    this.server.restore(state)
  }

  reset(): void {
    // The server may be reading into guest memory that is the driver's again after the reset.
    this.server.reset()
    for (const [index, slot] of this.underWay.entries()) {
      if (slot.chain !== undefined) this.free.push(index)
      slot.chain = undefined
    }
    this.waiting.clear()
    this.context = undefined
  }

  close(): void {
    this.reset()
    this.server.close()
  }

  private take(index: number): void {
    const queue = this.context?.queues[index]
    if (queue === undefined) return
    queue.disableNotify()
    // At most one ring's worth a turn; a driver that offers more meanwhile rings again.
    for (let left = REQUEST_SIZE; left > 0; left--) {
      if (this.free.length === 0) {
        this.waiting.add(index)
        return
      }
      const chain = queue.pop()
      if (chain === null) break
      this.begin(index, chain)
    }
    if (queue.enableNotify()) this.context?.loop.after(0, () => this.notify(index))
  }

  private begin(queue: number, chain: DescriptorChain): void {
    this.counters.requests++
    if (chain.readableBytes < IN_HEADER_BYTES) {
      this.context?.fail(`request of ${chain.readableBytes} bytes`)
      return
    }
    const index = this.free.pop()!
    const message = this.server.messages[index]!
    message.requestBytes = chain.read(0, message.request)
    const opcode = message.headerU32(IN_HEADER.opcode)
    if (!isUnanswered(opcode) && chain.writableBytes < OUT_HEADER_BYTES) {
      this.free.push(index)
      this.context?.fail(`request ${opcode} with ${chain.writableBytes} bytes for an answer`)
      return
    }
    // What is longer than any request is one whose end the session misses.
    if (chain.readableBytes > REQUEST_BYTES && opcode !== OPCODE.WRITE) message.requestBytes = IN_HEADER_BYTES
    message.iovecs = this.describeData(opcode, message, chain)
    const slot = this.underWay[index]!
    slot.chain = chain
    slot.queue = queue
    this.server.submit(index)
  }

  /** Where a read's data goes, or a write's lies; how many pieces that is. */
  private describeData(opcode: number, message: Message, chain: DescriptorChain): number {
    const writes = opcode === OPCODE.WRITE
    if ((!writes && opcode !== OPCODE.READ) || message.argumentBytes < TRANSFER_BYTES) return 0
    const header = writes ? IN_HEADER_BYTES + TRANSFER_BYTES : OUT_HEADER_BYTES
    const room = (writes ? chain.readableBytes : chain.writableBytes) - header
    const size = message.u32(TRANSFER.size)
    if (size > room) return 0
    const count = chain.iovec(!writes, header, size, this.iov, 0)
    if (count > MAX_IOVECS) return 0
    message.iov.copy(this.iov, count)
    return count
  }

  private answered(index: number): void {
    const slot = this.underWay[index]!
    const { chain } = slot
    if (chain === undefined) return
    const message = this.server.messages[index]!
    slot.chain = undefined
    this.free.push(index)
    const { answerBytes, totalBytes } = message
    if (answerBytes > chain.writableBytes) {
      this.context?.fail(`${chain.writableBytes} bytes for an answer of ${answerBytes}`)
      return
    }
    this.count(message)
    chain.write(0, message.answer.subarray(0, answerBytes))
    this.context?.queues[slot.queue]?.push(chain, totalBytes)
  }

  private count(message: Message): void {
    if (message.answerBytes === 0) return
    if (message.output.getInt32(4, true) !== 0) this.counters.errors++
    else if (message.headerU32(IN_HEADER.opcode) === OPCODE.READ) {
      this.counters.readBytes += message.totalBytes - OUT_HEADER_BYTES
    } else if (message.headerU32(IN_HEADER.opcode) === OPCODE.WRITE) {
      this.counters.writtenBytes += message.output.getUint32(OUT_HEADER_BYTES, true)
    }
  }

  private batchEnded(): void {
    for (const index of [...this.waiting]) {
      this.waiting.delete(index)
      this.take(index)
    }
    for (let index = 0; index < this.queueSizes.length; index++) this.context?.interrupt(index)
  }
}
