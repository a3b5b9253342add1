import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { SinceNow } from '../../vcpu/idleness.ts'
import type { DescriptorChain } from '../chain.ts'
import { DEVICE_ID } from '../constants.ts'
import type { VirtioContext, VirtioDevice } from '../device.ts'
import { DeviceConfig } from '../device-config.ts'
import { CFG, CONFIG, EV, EVENT_BYTES, SYN_REPORT } from './protocol.ts'

const EVENT_QUEUE = 0
const STATUS_QUEUE = 1
const QUEUE_SIZE = 64
/**
 * Linux keeps 64 events for each program that reads an input device and, when more come before it reads, throws all of
 * them away (evdev's EVDEV_MIN_BUFFER_SIZE, SYN_DROPPED). Text that is typed for somebody comes faster than a guest's X
 * server looks, so a device that paces itself waits after so many events until the guest has got round to them.
 */
const BURST_EVENTS = 32
/** It ends between two strokes, not with a key down, which the guest would take for held and repeat. But then it ends. */
const MAX_BURST_EVENTS = 56
/** At least so long, and how often it is looked then. */
const REST_MS = 16
const MAX_LOOK_MS = 100

/** Without knowledge of the guest: time passes. */
const afterRest: SinceNow = () => {
  const from = performance.now()
  return () => performance.now() - from > REST_MS
}

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
  /** Groups kept for a guest that is slow to take them: what a person pastes, typed key by key. */
  maxWaiting = 1 << 16
  private readonly description: InputDescription
  private readonly idleSince: SinceNow
  private context: VirtioContext | undefined
  private waiting: (readonly InputEvent[])[] = []
  private dropped = false
  /** Events that the guest may not have got round to, and how many buffers there were before them. */
  private burst = 0
  private roomBefore = 0
  /** Keys that the guest has as pressed. */
  private down = 0
  /** Tells whether it has, from when its driver has taken them all. */
  private gotRound: (() => boolean) | undefined
  private readonly bytes = new DataView(new ArrayBuffer(EVENT_BYTES))

  /** `idleSince`: how a paced device learns that the guest got round to what it was sent. */
  constructor(name: string, description: InputDescription, idleSince: SinceNow = afterRest) {
    this.name = name
    this.description = description
    this.idleSince = idleSince
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
    if (this.waiting.length >= this.maxWaiting) {
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
    this.down = 0
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
    if (this.burst > 0 && this.isBurstOver(context)) this.wakeUp()
    if (this.burst === 0) this.roomBefore = queue.availableCount
    while (this.waiting.length > 0) {
      const group = this.waiting[0]!
      if (this.description.paced && this.isBurstFull(group)) {
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
        const event = group[i] ?? { type: EV.SYN, code: SYN_REPORT, value: 0 }
        if (event.type === EV.KEY) this.down = Math.max(0, this.down + (event.value === 0 ? -1 : 1))
        this.write(chain, event)
        queue.fill(chain, EVENT_BYTES, i)
      }
      queue.publish(chains.length)
      this.counters.events += chains.length
      this.burst += chains.length
      this.gotRound = undefined
      this.waiting.shift()
      sent = true
    }
    if (sent) context.interrupt(EVENT_QUEUE)
    if (this.resting) return
    // Ask to be told of new buffers only while something waits for them.
    if (this.waiting.length > 0) {
      if (queue.enableNotify()) context.loop.after(0, () => this.notify(EVENT_QUEUE))
    } else {
      queue.disableNotify()
    }
  }

  private isBurstFull(next: readonly InputEvent[]): boolean {
    return this.burst + next.length >= (this.down > 0 ? MAX_BURST_EVENTS : BURST_EVENTS)
  }

  /** Asked often: the first answer that it is not begins to look. */
  private isBurstOver(context: VirtioContext): boolean {
    if (!this.description.paced) return true
    if (this.gotRound === undefined) {
      // A driver that has not taken the last events from the queue has shown them to nobody.
      if (context.queues[EVENT_QUEUE]!.availableCount < this.roomBefore) return false
      this.gotRound = this.idleSince()
    }
    return this.gotRound()
  }

  private rest(context: VirtioContext): void {
    this.resting = true
    // A guest that stands still is asked less and less often.
    const look = (wait: number): void => {
      context.loop.after(wait, () => {
        if (this.context !== context) return
        if (!this.isBurstOver(context)) return look(Math.min(2 * wait, MAX_LOOK_MS))
        this.wakeUp()
        this.notify(EVENT_QUEUE)
      })
    }
    look(REST_MS)
  }

  private wakeUp(): void {
    this.resting = false
    this.burst = 0
    this.gotRound = undefined
  }

  private write(chain: DescriptorChain, event: InputEvent): void {
    this.bytes.setUint16(0, event.type, true)
    this.bytes.setUint16(2, event.code, true)
    this.bytes.setInt32(4, event.value, true)
    chain.write(0, new Uint8Array(this.bytes.buffer))
  }

  private takeStatus(context: VirtioContext): void {
    const queue = context.queues[STATUS_QUEUE]!
    // At most one ring's worth a turn; a driver that offers more meanwhile rings again.
    for (let left = QUEUE_SIZE; left > 0; left--) {
      const chain = queue.pop()
      if (chain === null) break
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
    context.interrupt(STATUS_QUEUE)
    if (queue.enableNotify()) context.loop.after(0, () => this.notify(STATUS_QUEUE))
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
