import type { VirtioState } from '@hearth/shared/vm-snapshot'
import type { EventLoop } from '../io/event-loop.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import { CommonConfig, type CommonConfigTarget } from './common-config.ts'
import {
  STATUS,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
} from './constants.ts'
import type { VirtioContext, VirtioDevice } from './device.ts'
import { guardedLoop } from './guarded-loop.ts'
import { Virtqueue, type VirtqueueLayout } from './queue.ts'

/** Bits of the interrupt status, the same over PCI (4.1.4.5) and over MMIO (4.2.2, InterruptStatus). */
export const ISR = { QUEUE: 1, CONFIG: 2 } as const
const MAX_QUEUES = 64

/** What the bus does for the transport. */
export interface TransportLink {
  /** Tells the driver of something; `vector` is what it chose for that, `isr` the kind. */
  signal(vector: number, isr: number): void
  /** The driver has seen everything: what `signal` raised goes. */
  quiet(): void
  /** The device was reset, by its driver or with the machine: whatever the bus keeps of it goes as well. */
  wasReset(): void
  /** Only while the device is plugged in. */
  loop(): EventLoop
}

/**
 * What every virtio transport has in common (VIRTIO 1.2, sections 2 and 3): status, feature negotiation, queues and
 * interrupt status of one device, whatever the registers look like through which the driver reaches them.
 */
export class VirtioTransport implements CommonConfigTarget {
  readonly name: string
  readonly device: VirtioDevice
  readonly offeredFeatures: bigint
  /** One per queue and one for configuration changes: what Linux asks for first. */
  readonly vectorCount: number
  readonly common: CommonConfig
  readonly queues: readonly Virtqueue[]
  /** Of the transport; the device has its own. */
  readonly counters = { notifies: 0, interrupts: 0, failures: 0 }
  status = 0
  configGeneration = 0
  isr = 0
  active = false
  private readonly memory: GuestMemory
  private readonly log: (message: string) => void
  private readonly link: TransportLink

  constructor(
    device: VirtioDevice,
    link: TransportLink,
    { memory, log = () => {} }: { memory: GuestMemory; log?: ((message: string) => void) | undefined },
  ) {
    if (device.queueSizes.length > MAX_QUEUES) throw new RangeError(`${device.name}: too many queues`)
    this.name = `virtio-${device.name}`
    this.device = device
    this.link = link
    this.memory = memory
    this.log = log
    this.offeredFeatures =
      device.features | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_EVENT_IDX | VIRTIO_F_RING_INDIRECT_DESC
    this.vectorCount = device.queueSizes.length + 1
    this.common = new CommonConfig(device.queueSizes, this)
    this.queues = device.queueSizes.map(
      (size, index) => new Virtqueue(memory, index, size, (error) => this.fail(error.message)),
    )
  }

  get featuresOpen(): boolean {
    return (this.status & STATUS.FEATURES_OK) === 0
  }

  get needsReset(): boolean {
    return (this.status & STATUS.DEVICE_NEEDS_RESET) !== 0
  }

  /** Section 2.1. What a write changes is computed before anything is stored. */
  writeStatus(value: number): void {
    if (value === 0) {
      this.reset()
      return
    }
    // Bits only leave by a reset, and NEEDS_RESET is the device's own.
    let added = value & ~this.status & ~STATUS.DEVICE_NEEDS_RESET
    if ((added & STATUS.FEATURES_OK) !== 0 && !this.featuresAcceptable()) added &= ~STATUS.FEATURES_OK
    const featuresOk = ((this.status | added) & STATUS.FEATURES_OK) !== 0
    if (!featuresOk) added &= ~STATUS.DRIVER_OK
    this.status |= added
    if ((added & STATUS.DRIVER_OK) !== 0 && !this.needsReset) this.activate()
  }

  /** The driver, or the machine, begins anew. */
  reset(): void {
    if (this.active) {
      this.active = false
      this.guard(() => this.device.reset())
    }
    for (const queue of this.queues) queue.disable()
    this.common.reset()
    this.status = 0
    this.isr = 0
    this.link.quiet()
    this.link.wasReset()
  }

  /** Throws with a line for people when the device cannot be saved. */
  save(): VirtioState {
    const { device } = this
    if (this.active && device.save === undefined) throw new Error(`a ${this.name} device cannot be saved yet`)
    const state = this.active ? device.save?.() : undefined
    const queues = this.common.queues.map((registers, i) => {
      const { size, vector, enabled } = registers
      const addresses = [...registers.addresses] as VirtioState['queues'][number]['addresses']
      return { size, vector, enabled, addresses, ...this.queues[i]!.save() }
    })
    const { status, isr, configGeneration } = this
    const common = this.common.save()
    return {
      ...{ name: device.name, status, isr, configGeneration, ...common, queues },
      ...(state === undefined ? {} : { device: state }),
    }
  }

  /** Throws with a line for people when `state` is of another device. */
  restore(state: VirtioState | undefined): void {
    if (state === undefined || state.name !== this.device.name) {
      throw new Error(`the snapshot of this ${this.name} is incomplete`)
    }
    this.common.restore(state)
    this.configGeneration = state.configGeneration
    this.isr = state.isr
    const featuresOk = (state.status & STATUS.FEATURES_OK) !== 0
    if (featuresOk && !this.featuresAcceptable()) {
      throw new Error(`${this.name}: the guest's driver uses features that the device has no longer`)
    }
    this.status = state.status
    for (const [i, queue] of state.queues.entries()) {
      if (!queue.enabled) continue
      this.enableQueue(i)
      this.queues[i]!.restore(queue)
    }
    if ((this.status & STATUS.DRIVER_OK) === 0 || this.needsReset) return
    const context = this.begin()
    this.guard(() => {
      this.device.activate(context)
      if (state.device !== undefined) this.device.restore?.(state.device as never)
    })
  }

  resumed(): void {
    if (!this.active) return
    this.lookAtQueues()
    // One interrupt too many costs nothing; one that was on its way when the machine stopped must not be lost.
    for (const [index, registers] of this.common.queues.entries()) {
      if (this.queues[index]!.enabled) this.signal(registers.vector, ISR.QUEUE)
    }
  }

  enableQueue(index: number): void {
    const registers = this.common.queues[index]!
    // 3.1.1: queues are set up after FEATURES_OK; before it the ring's features are not known.
    if (this.featuresOpen) {
      this.fail(`queue ${index} enabled before FEATURES_OK`)
      return
    }
    registers.enabled = this.placeQueue(index, {
      ...{ size: registers.size, descriptors: registers.address(0) },
      ...{ available: registers.address(1), used: registers.address(2) },
    })
  }

  /** Over MMIO a driver may take a single queue back (4.2.2.1, QueueReady). */
  disableQueue(index: number): void {
    const registers = this.common.queues[index]
    if (registers === undefined) return
    this.queues[index]!.disable()
    registers.enabled = false
  }

  /** Takes a ring into use with the features that were chosen. False: it cannot be right, and the device failed. */
  placeQueue(index: number, layout: Omit<VirtqueueLayout, 'eventIndex' | 'indirect'>): boolean {
    const features = this.common.driverFeatures
    try {
      this.queues[index]!.enable({
        ...layout,
        eventIndex: (features & VIRTIO_F_RING_EVENT_IDX) !== 0n,
        indirect: (features & VIRTIO_F_RING_INDIRECT_DESC) !== 0n,
      })
      return true
    } catch (error) {
      this.fail(messageOf(error))
      return false
    }
  }

  activate(): void {
    const context = this.begin()
    this.guard(() => this.device.activate(context))
    // Some drivers fill and ring their queues before DRIVER_OK; look once so that nothing waits for ever.
    this.lookAtQueues()
  }

  lookAtQueues(): void {
    for (const [index, queue] of this.queues.entries()) if (queue.enabled) this.notified(index)
  }

  /** The driver rang queue `index`, or says so. */
  notified(index: number): void {
    const queue = this.queues[index]
    if (queue === undefined) return
    this.counters.notifies++
    if (!this.active || !queue.enabled) return
    this.guard(() => this.device.notify(index))
  }

  /** While paused the device does not touch the guest's memory. */
  setPaused(paused: boolean): void {
    for (const queue of this.queues) queue.setPaused(paused)
    if (!paused && this.active) this.lookAtQueues()
  }

  /** The driver has seen these. */
  acknowledge(bits: number): void {
    this.isr &= ~bits
    if (this.isr === 0) this.link.quiet()
  }

  /** The driver broke the rules, or we did: this device stops until its driver resets it. */
  fail(reason: string): void {
    for (const queue of this.queues) queue.disable()
    if (this.needsReset) return
    this.counters.failures++
    this.log(`${this.name}: ${reason}; the device waits for a reset`)
    this.status |= STATUS.DEVICE_NEEDS_RESET
    // 2.1.2: told by a configuration change notification, if the driver is there to hear it.
    if ((this.status & STATUS.DRIVER_OK) !== 0) this.configChanged()
  }

  private featuresAcceptable(): boolean {
    const chosen = this.common.driverFeatures
    if ((chosen & ~this.offeredFeatures) !== 0n) return false
    // 6.1: a device without the legacy interface may insist on VERSION_1.
    if ((chosen & VIRTIO_F_VERSION_1) === 0n) return false
    return this.device.acceptsFeatures?.(chosen) ?? true
  }

  private begin(): VirtioContext {
    this.active = true
    return {
      memory: this.memory,
      features: this.common.driverFeatures,
      queues: this.queues,
      loop: guardedLoop(this.link.loop(), (error) => this.fail(messageOf(error))),
      interrupt: (index) => this.queueInterrupt(index),
      configChanged: () => this.configChanged(),
      fail: (reason) => this.fail(reason),
    }
  }

  private guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(messageOf(error))
    }
  }

  private queueInterrupt(index: number): void {
    if (!this.queues[index]!.needsInterrupt()) return
    this.signal(this.common.queues[index]!.vector, ISR.QUEUE)
  }

  private configChanged(): void {
    this.configGeneration = (this.configGeneration + 1) & 0xff
    this.signal(this.common.configVector, ISR.CONFIG)
  }

  private signal(vector: number, isr: number): void {
    this.counters.interrupts++
    this.link.signal(vector, isr)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
