import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { DescriptorChain } from '../chain.ts'
import { DEVICE_ID } from '../constants.ts'
import type { VirtioContext, VirtioDevice } from '../device.ts'
import { DeviceConfig } from '../device-config.ts'
import { CFG, CONFIG, EV, EVENT_BYTES, SYN_REPORT } from './protocol.ts'

const EVENT_QUEUE = 0
const STATUS_QUEUE = 1
const QUEUE_SIZE = 64
/** Groups kept for a driver that is slow to give buffers: what a person pastes, typed key by key. */
const MAX_WAITING = 4096

/**
 * Linux keeps 64 events for each program that reads an input device and, when more come before it reads, throws all of
 * them away (evdev's EVDEV_MIN_BUFFER_SIZE, SYN_DROPPED). Text that is typed for somebody comes faster than a guest's X
 * server looks, so a device that paces itself lets it: after so many events, once the driver has taken them, it rests.
 */
const BURST_EVENTS = 32
const REST_MS = 16

/** One evdev event. */
export interface InputEvent {
  readonly type: number
  readonly code: number
  readonly value: number
}

/** What the driver asks the device about itself (5.8.4). */
export interface InputDescription {
  readonly name: string
  readonly product: number
  /** Event types with the codes each may carry; a type without codes is only announced. */
  readonly events: ReadonlyMap<number, readonly number[]>
  /** Largest value of each absolute axis; the smallest is 0. */
  readonly axes?: ReadonlyMap<number, number>
  /** Its events come in bursts of which none may be lost, and may come later instead. */
  readonly paced?: boolean
}

/** Of every input device, in a snapshot; with it what its owner adds. */
type SavedInput = Pick<VirtioDeviceState<'keyboard'>, 'select' | 'subsel' | 'waiting'>

/**
 * VIRTIO 1.2, section 5.8: one input device. Events travel in groups that end with SYN_REPORT; a group reaches the
 * driver whole or not at all. What cannot be delivered waits, up to a bound; then groups are dropped, and `caughtUp`
 * lets the owner say the difference once there is room: no key stays down for want of buffers.
 */
export class InputDevice implements VirtioDevice {
  readonly name: string
  readonly deviceId = DEVICE_ID.INPUT
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE]
  readonly features = 0n
  readonly config: DeviceConfig
  readonly counters = { events: 0, droppedGroups: 0, statusEvents: 0 }
  /** A driver came: it knows of nothing yet. */
  started: () => void = () => {}
  /** There is room again after groups were dropped: the driver lacks what they said. */
  caughtUp: () => void = () => {}
  /** An event from the driver: an LED, for instance. */
  status: (event: InputEvent) => void = () => {}
  /** What its owner knows of the driver, for a snapshot, and how the owner takes it back. */
  saveOwn: () => object = () => ({})
  restoreOwn: (state: never) => void = () => {}
  private readonly description: InputDescription
  private context: VirtioContext | undefined
  private waiting: (readonly InputEvent[])[] = []
  private dropped = false
  /** Events since the last rest, and how many buffers there were before them. */
  private burst = 0
  private roomBefore = 0
  private lastSent = 0
  private readonly bytes = new DataView(new ArrayBuffer(EVENT_BYTES))

  constructor(name: string, description: InputDescription) {
    this.name = name
    this.description = description
    this.config = new DeviceConfig(CONFIG.BYTES, (offset, size, value) => this.select(offset, size, value))
  }

  /** What waits does so for the driver's programs to read, not for its buffers. */
  resting = false

  get hasDriver(): boolean {
    return this.context !== undefined
  }

  /** Sends a group, SYN_REPORT added. False: there is no driver, or the group was dropped. */
  send(group: readonly InputEvent[]): boolean {
    if (this.context === undefined) return false
    if (group.length === 0) return true
    if (this.waiting.length >= MAX_WAITING) {
      this.dropped = true
      this.counters.droppedGroups++
      return false
    }
    this.waiting.push(group)
    this.deliver(this.context)
    return true
  }

  activate(context: VirtioContext): void {
    this.context = context
    this.waiting = []
    this.dropped = false
    this.wakeUp()
    this.started()
  }

  notify(index: number): void {
    const { context } = this
    if (context === undefined) return
    if (index === STATUS_QUEUE) {
      this.takeStatus(context)
      return
    }
    this.deliver(context)
    if (this.dropped && this.waiting.length === 0) {
      this.dropped = false
      this.caughtUp()
    }
  }

  save(): SavedInput {
    const { view } = this.config
    return {
      select: view.getUint8(CONFIG.SELECT),
      subsel: view.getUint8(CONFIG.SUBSEL),
      waiting: this.waiting.map((group) => group.map(({ type, code, value }) => [type, code, value])),
      ...this.saveOwn(),
    }
  }

  restore(state: SavedInput): void {
    this.select(CONFIG.SELECT, 2, state.select | (state.subsel << 8))
    this.waiting = state.waiting.map((group) => group.map(([type, code, value]) => ({ type, code, value })))
    this.restoreOwn(state as never)
  }

  reset(): void {
    this.context = undefined
    this.waiting = []
    this.wakeUp()
  }

  close(): void {
    this.reset()
  }

  private deliver(context: VirtioContext): void {
    if (this.resting) return
    const queue = context.queues[EVENT_QUEUE]!
    let sent = false
    if (this.description.paced && performance.now() - this.lastSent > REST_MS) this.wakeUp()
    if (this.burst === 0) this.roomBefore = queue.availableCount
    while (this.waiting.length > 0) {
      const group = this.waiting[0]!
      if (this.description.paced && this.burst > 0 && this.burst + group.length >= BURST_EVENTS) {
        this.rest(context)
        break
      }
      const chains: DescriptorChain[] = []
      while (chains.length <= group.length) {
        const chain = queue.pop()
        if (chain === null) break
        chains.push(chain)
      }
      if (chains.length <= group.length) {
        // Not room for all of it: give the buffers back, in reverse order, and wait for more.
        while (chains.length > 0) queue.undo(chains.pop()!)
        break
      }
      if (chains.some((chain) => chain.writableBytes < EVENT_BYTES)) {
        context.fail(`${this.name}: an event buffer of less than ${EVENT_BYTES} bytes`)
        return
      }
      for (const [i, chain] of chains.entries()) {
        this.write(chain, group[i] ?? { type: EV.SYN, code: SYN_REPORT, value: 0 })
        queue.fill(chain, EVENT_BYTES, i)
      }
      queue.publish(chains.length)
      this.counters.events += chains.length
      this.burst += chains.length
      this.waiting.shift()
      sent = true
    }
    if (sent) {
      this.lastSent = performance.now()
      context.interrupt(EVENT_QUEUE)
    }
    if (this.resting) return
    // Ask to be told of new buffers only while something waits for them.
    if (this.waiting.length > 0) {
      if (queue.enableNotify()) context.loop.after(0, () => this.notify(EVENT_QUEUE))
    } else {
      queue.disableNotify()
    }
  }

  private rest(context: VirtioContext): void {
    this.resting = true
    // A driver that has not taken the last events from the queue has shown them to nobody: a rest begins with that.
    const over = (): void => {
      if (this.context !== context) return
      this.wakeUp()
      this.notify(EVENT_QUEUE)
    }
    const look = (wait: number): void => {
      if (this.context !== context) return
      const taken = context.queues[EVENT_QUEUE]!.availableCount >= this.roomBefore
      // A guest that stands still is asked less and less often.
      if (taken) context.loop.after(REST_MS, over)
      else context.loop.after(wait, () => look(Math.min(2 * wait, 100)))
    }
    look(2)
  }

  private wakeUp(): void {
    this.resting = false
    this.burst = 0
  }

  private write(chain: DescriptorChain, event: InputEvent): void {
    this.bytes.setUint16(0, event.type, true)
    this.bytes.setUint16(2, event.code, true)
    this.bytes.setInt32(4, event.value, true)
    chain.write(0, new Uint8Array(this.bytes.buffer))
  }

  private takeStatus(context: VirtioContext): void {
    const queue = context.queues[STATUS_QUEUE]!
    do {
      for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
        if (chain.read(0, new Uint8Array(this.bytes.buffer)) === EVENT_BYTES) {
          this.counters.statusEvents++
          this.status({
            type: this.bytes.getUint16(0, true),
            code: this.bytes.getUint16(2, true),
            value: this.bytes.getInt32(4, true),
          })
        }
        queue.push(chain, 0)
      }
    } while (queue.enableNotify())
    context.interrupt(STATUS_QUEUE)
  }

  /** 5.8.5: writing select and subsel chooses what size and the union show; size 0 where there is nothing. */
  private select(offset: number, size: number, value: number): void {
    const { view } = this.config
    // Linux writes them byte by byte; a wider write carries both, lowest first.
    for (let i = 0; i < size; i++) {
      const at = offset + i
      if (at === CONFIG.SELECT || at === CONFIG.SUBSEL) view.setUint8(at, (value >>> (8 * i)) & 0xff)
    }
    if (offset > CONFIG.SUBSEL) return
    const answer = this.answer(view.getUint8(CONFIG.SELECT), view.getUint8(CONFIG.SUBSEL))
    const bytes = new Uint8Array(view.buffer)
    bytes.fill(0, CONFIG.SIZE)
    bytes[CONFIG.SIZE] = answer.length
    bytes.set(answer, CONFIG.UNION)
  }

  private answer(select: number, subsel: number): Uint8Array {
    const { name, product, events, axes } = this.description
    const nothing = new Uint8Array(0)
    switch (select) {
      case CFG.ID_NAME:
        return subsel === 0 ? new TextEncoder().encode(name) : nothing
      case CFG.ID_DEVIDS: {
        if (subsel !== 0) return nothing
        // BUS_VIRTUAL, vendor, product, version.
        return new Uint8Array(Uint16Array.of(0x06, 0x0627, product, 1).buffer)
      }
      case CFG.EV_BITS: {
        const codes = events.get(subsel)
        if (codes === undefined) return nothing
        const bits = new Uint8Array(codes.length === 0 ? 1 : (Math.max(...codes) >> 3) + 1)
        for (const code of codes) bits[code >> 3]! |= 1 << (code & 7)
        return bits
      }
      case CFG.ABS_INFO: {
        const max = axes?.get(subsel)
        // min, max, fuzz, flat, resolution.
        return max === undefined ? nothing : new Uint8Array(Uint32Array.of(0, max, 0, 0, 0).buffer)
      }
      default:
        return nothing
    }
  }
}
