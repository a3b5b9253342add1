import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { DiskBackend, DiskListener } from '../../disk/backend.ts'
import { type DescriptorChain, IovecList } from '../chain.ts'
import { DEVICE_ID } from '../constants.ts'
import type { VirtioContext, VirtioDevice } from '../device.ts'
import { DeviceConfig } from '../device-config.ts'
import type { Virtqueue } from '../queue.ts'
import { allocationLength, Cdrom, type ScsiResult } from './cdrom.ts'
import {
  CDB_BYTES,
  fixedSense,
  OPERATION,
  REQUEST_BYTES,
  REQUEST_HEADER_BYTES,
  RESPONSE,
  RESPONSE_AT,
  RESPONSE_BYTES,
  SENSE,
  SENSE_BYTES,
  type Sense,
  STATUS_CHECK_CONDITION,
  STATUS_GOOD,
} from './protocol.ts'

const QUEUE_SIZE = 128
const CONTROL_QUEUE = 0
const EVENT_QUEUE = 1
const REQUEST_QUEUE = 2
const CONFIG_BYTES = 36
const SEG_MAX = 126
const MAX_SECTORS = 0xffff
/** struct virtio_scsi_ctrl_tmf_resp has one byte, …_an_resp an event mask before it. */
const CONTROL_TYPE_TMF = 0
const AN_RESPONSE_BYTES = 5

interface Drive {
  readonly unit: Cdrom
  readonly backend: DiskBackend
}

interface Request {
  readonly tag: number
  chain: DescriptorChain | null
  bytes: number
}

/**
 * VIRTIO 1.2, section 5.6: a SCSI host whose targets are CD-ROM drives, logical unit 0 each. It parses what came and
 * checks every bound; a drive says what a command means; a backend moves a disc's bytes to guest memory. Requests that
 * nobody can answer fail the device.
 */
export class ScsiDevice implements VirtioDevice {
  readonly name = 'scsi'
  readonly deviceId = DEVICE_ID.SCSI
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE]
  readonly features = 0n
  readonly config = new DeviceConfig(CONFIG_BYTES)
  readonly counters = { commands: 0, readBytes: 0, errors: 0 }
  private readonly drives: readonly Drive[]
  private readonly requests: Request[][]
  private readonly iov = new IovecList(QUEUE_SIZE)
  private context: VirtioContext | undefined
  private queue: Virtqueue | undefined
  private started = false

  /** A drive for each disc. Takes over the backends. */
  constructor(discs: readonly DiskBackend[]) {
    this.drives = discs.map((backend) => ({ unit: new Cdrom(backend.sizeBytes), backend }))
    this.requests = discs.map(() => [])
    const { view } = this.config
    const fields = [1, SEG_MAX, MAX_SECTORS, QUEUE_SIZE, 16, SENSE_BYTES, CDB_BYTES]
    for (const [i, value] of fields.entries()) view.setUint32(i * 4, value, true)
    view.setUint16(30, Math.max(0, discs.length - 1), true)
  }

  /** A person takes the disc out of drive `index`. */
  eject(index: number): void {
    this.drives[index]?.unit.eject()
  }

  activate(context: VirtioContext): void {
    this.context = context
    this.queue = context.queues[REQUEST_QUEUE]
    if (this.started) return
    this.started = true
    for (const [target, { backend }] of this.drives.entries())
      backend.start(context.loop, this.listener(target))
  }

  notify(index: number): void {
    // Buffers of the event queue wait for events that this host never has: its targets stay.
    if (index === EVENT_QUEUE) return
    const queue = this.context?.queues[index]
    if (queue === undefined) return
    // At most one ring's worth a turn; a driver that offers more meanwhile rings again.
    for (let left = QUEUE_SIZE; left > 0; left--) {
      const chain = queue.pop()
      if (chain === null) break
      if (index === CONTROL_QUEUE) this.control(queue, chain)
      else this.begin(chain)
    }
    for (const { backend } of this.drives) backend.submit()
    this.context?.interrupt(index)
    if (queue.enableNotify()) this.context?.loop.after(0, () => this.notify(index))
  }

  save(): VirtioDeviceState<'scsi'> {
    for (const { backend } of this.drives) backend.finish()
    this.context?.interrupt(REQUEST_QUEUE)
    return { drives: this.drives.map(({ unit }) => unit.save()) }
  }

  restore({ drives }: VirtioDeviceState<'scsi'>): void {
    for (const [i, { unit }] of this.drives.entries()) if (drives[i]) unit.restore(drives[i])
  }

  reset(): void {
    for (const [target, { backend }] of this.drives.entries()) {
      // The kernel may be writing into guest memory that is the driver's again after the reset.
      backend.drain()
      for (const request of this.requests[target]!) request.chain = null
    }
    this.context = undefined
    this.queue = undefined
  }

  close(): void {
    this.reset()
    for (const { backend } of this.drives) backend.close()
  }

  private listener(target: number): DiskListener {
    return {
      completed: (tag, errno) => {
        const request = this.requests[target]![tag]!
        const { chain } = request
        if (chain === null) return
        request.chain = null
        if (errno !== 0) this.fail(chain, SENSE.READ_ERROR)
        else this.finish(chain, request.bytes)
      },
      batchEnded: () => this.context?.interrupt(REQUEST_QUEUE),
    }
  }

  /** 5.6.6.2: nothing of a task can be taken back here, and nothing needs to be: each ends by itself. */
  private control(queue: Virtqueue, chain: DescriptorChain): void {
    if (chain.readableBytes < 4 || chain.writableBytes < 1) {
      this.context?.fail(`control request of ${chain.readableBytes} and ${chain.writableBytes} bytes`)
      return
    }
    const bytes = chain.readU32(0) === CONTROL_TYPE_TMF ? 1 : AN_RESPONSE_BYTES
    queue.push(chain, chain.write(0, new Uint8Array(bytes)))
  }

  private begin(chain: DescriptorChain): void {
    this.counters.commands++
    if (chain.readableBytes < REQUEST_BYTES || chain.writableBytes < RESPONSE_BYTES) {
      this.context?.fail(
        `request of ${chain.readableBytes} readable and ${chain.writableBytes} writable bytes`,
      )
      return
    }
    const request = new Uint8Array(REQUEST_BYTES)
    chain.read(0, request)
    const drive = request[0] === 1 ? this.drives[request[1]!] : undefined
    if (drive === undefined) {
      this.respond(chain, RESPONSE.BAD_TARGET, STATUS_GOOD, undefined, 0)
      return
    }
    const unit = ((request[2]! & 0x3f) << 8) | request[3]!
    const cdb = request.subarray(REQUEST_HEADER_BYTES)
    const result = unit === 0 ? this.execute(drive, cdb) : withoutUnit(cdb)
    const room = chain.writableBytes - RESPONSE_BYTES
    switch (result.kind) {
      case 'done':
        this.finish(chain, 0)
        break
      case 'error':
        this.fail(chain, result.sense)
        break
      case 'data': {
        const length = Math.min(result.bytes.length, allocationLength(cdb), room)
        chain.write(RESPONSE_BYTES, result.bytes.subarray(0, length))
        this.finish(chain, length)
        break
      }
      case 'read': {
        const length = Math.min(result.length, room)
        if (length === 0) {
          this.finish(chain, 0)
          break
        }
        const count = chain.iovec(true, RESPONSE_BYTES, length, this.iov, 0)
        this.counters.readBytes += length
        drive.backend.read(this.take(request[1]!, chain, length), this.iov, count, result.offset)
      }
    }
  }

  private execute({ unit }: Drive, cdb: Uint8Array): ScsiResult {
    if (cdb[0] !== OPERATION.REPORT_LUNS) return unit.execute(cdb)
    // One unit, number 0, after the list's length.
    return { kind: 'data', bytes: Uint8Array.of(0, 0, 0, 8, ...new Array<number>(12).fill(0)) }
  }

  private finish(chain: DescriptorChain, bytes: number): void {
    this.respond(chain, RESPONSE.OK, STATUS_GOOD, undefined, bytes)
  }

  private fail(chain: DescriptorChain, sense: Sense): void {
    this.counters.errors++
    this.respond(chain, RESPONSE.OK, STATUS_CHECK_CONDITION, sense, 0)
  }

  private respond(
    chain: DescriptorChain,
    response: number,
    status: number,
    sense: Sense | undefined,
    bytes: number,
  ): void {
    const answer = new Uint8Array(RESPONSE_BYTES)
    const view = new DataView(answer.buffer)
    view.setUint32(RESPONSE_AT.residual, chain.writableBytes - RESPONSE_BYTES - bytes, true)
    answer[RESPONSE_AT.status] = status
    answer[RESPONSE_AT.response] = response
    if (sense !== undefined) {
      const told = fixedSense(sense)
      view.setUint32(RESPONSE_AT.senseLength, told.length, true)
      answer.set(told, RESPONSE_AT.sense)
    }
    chain.write(0, answer)
    this.queue?.push(chain, RESPONSE_BYTES + bytes)
  }

  private take(target: number, chain: DescriptorChain, bytes: number): number {
    const table = this.requests[target]!
    let request = table.find((candidate) => candidate.chain === null)
    if (request === undefined) {
      request = { tag: table.length, chain: null, bytes: 0 }
      table.push(request)
    }
    request.chain = chain
    request.bytes = bytes
    return request.tag
  }
}

/** A logical unit that is not there (SPC-5, 6.6.2): INQUIRY says so, everything else is refused. */
function withoutUnit(cdb: Uint8Array): ScsiResult {
  const NOT_CAPABLE = 0x7f
  const NOT_SUPPORTED: Sense = { key: 5, code: 0x25, qualifier: 0 }
  if (cdb[0] !== OPERATION.INQUIRY) return { kind: 'error', sense: NOT_SUPPORTED }
  const bytes = new Uint8Array(36)
  bytes[0] = NOT_CAPABLE
  bytes[4] = bytes.length - 5
  return { kind: 'data', bytes }
}
