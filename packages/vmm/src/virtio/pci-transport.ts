import type { PciFunctionState, VirtioState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { Registration } from '../io/event-loop.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import { ConfigSpace } from '../pci/config-space.ts'
import type { PciFunction, PciSlot } from '../pci/function.ts'
import { MSIX_BAR_BYTES, Msix } from '../pci/msix.ts'
import * as libc from '../sys/libc.ts'
import { COMMON_CONFIG_BYTES, CommonConfig, type CommonConfigTarget } from './common-config.ts'
import {
  DEVICE_ID,
  STATUS,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
  VIRTIO_MSI_NO_VECTOR,
} from './constants.ts'
import type { VirtioContext, VirtioDevice } from './device.ts'
import { guardedLoop } from './guarded-loop.ts'
import { LEGACY_BAR_BYTES, LegacyRegisters, type LegacyTarget, legacyRing } from './legacy-registers.ts'
import { addVirtioCapabilities, MSIX_BAR, REGION, REGION_BAR, REGION_BAR_BYTES } from './pci-capabilities.ts'
import { Virtqueue } from './queue.ts'

export interface VirtioPciOptions {
  readonly memory: GuestMemory
  /** One line for the monitor's log when a driver breaks the rules. */
  readonly log?: (message: string) => void
  /** With the legacy interface beside the modern one (4.1.4.10). */
  readonly transitional?: boolean
}

const VIRTIO_VENDOR = 0x1af4
/** Section 4.1.2: transitional ids lie below; a modern device is 0x1040 + its id. */
const MODERN_DEVICE_BASE = 0x1040
/** Section 4.1.2.1; devices without such an id have no legacy interface. */
const TRANSITIONAL_IDS: Readonly<Record<number, number>> = {
  [DEVICE_ID.NET]: 0x1000,
  [DEVICE_ID.BLOCK]: 0x1001,
  [DEVICE_ID.SCSI]: 0x1004,
  [DEVICE_ID.ENTROPY]: 0x1005,
}
const LEGACY_BAR = 0
/** Base class and subclass that operating systems name the device by. */
const CLASS_CODES: Readonly<Record<number, number>> = {
  [DEVICE_ID.NET]: 0x02_00_00,
  [DEVICE_ID.BLOCK]: 0x01_00_00,
  [DEVICE_ID.ENTROPY]: 0x10_00_00,
  [DEVICE_ID.SCSI]: 0x01_00_00,
  // Display, other: no VGA registers behind it. Input, other.
  [DEVICE_ID.GPU]: 0x03_80_00,
  [DEVICE_ID.INPUT]: 0x09_80_00,
}
const CLASS_OTHER = 0xff_00_00
/** Section 4.1.4.5: bits of the ISR status byte. */
const ISR = { QUEUE: 1, CONFIG: 2 } as const
/** eventfd(2): a read takes 8 bytes and zeroes the count. */
const EVENTFD_BYTES = 8
const MAX_QUEUES = 64

/**
 * VIRTIO 1.2 over PCI (section 4.1), modern interface only: owns device status, feature negotiation, queue
 * configuration and interrupts of one device. Queue notifies arrive through eventfds without an exit; one that
 * comes as an ordinary write is served the same way.
 */
export class VirtioPciFunction implements PciFunction, CommonConfigTarget, LegacyTarget {
  readonly name: string
  readonly config: ConfigSpace
  readonly device: VirtioDevice
  readonly offeredFeatures: bigint
  readonly vectorCount: number
  /** Of the transport; the device has its own. */
  readonly counters = { notifies: 0, interrupts: 0, failures: 0 }
  status = 0
  configGeneration = 0

  private readonly memory: GuestMemory
  private readonly log: (message: string) => void
  readonly common: CommonConfig
  private readonly legacy: LegacyRegisters | undefined
  /** The driver set its status through the legacy interface. */
  private legacyDriver = false
  private readonly legacyPages = new Map<number, number>()
  private readonly msix: Msix
  private readonly queues: Virtqueue[]
  private readonly kicks: { fd: number; registration: Registration }[] = []
  private readonly kickBuffer = new Uint8Array(EVENTFD_BYTES)
  private slot: PciSlot | undefined
  private notifyAddress: number | undefined
  private isr = 0
  private active = false

  constructor(device: VirtioDevice, options: VirtioPciOptions) {
    if (device.queueSizes.length > MAX_QUEUES) throw new RangeError(`${device.name}: too many queues`)
    this.name = `virtio-${device.name}`
    this.device = device
    this.memory = options.memory
    this.log = options.log ?? (() => {})
    this.offeredFeatures =
      device.features | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_EVENT_IDX | VIRTIO_F_RING_INDIRECT_DESC
    // One vector per queue and one for configuration changes: what Linux asks for first.
    this.vectorCount = device.queueSizes.length + 1
    const legacyId = options.transitional ? TRANSITIONAL_IDS[device.deviceId] : undefined
    this.config = new ConfigSpace({
      vendor: VIRTIO_VENDOR,
      device: legacyId ?? MODERN_DEVICE_BASE + device.deviceId,
      revision: legacyId === undefined ? 1 : 0,
      classCode: CLASS_CODES[device.deviceId] ?? CLASS_OTHER,
      subsystemVendor: VIRTIO_VENDOR,
      // Legacy drivers tell the device's type by it.
      subsystem: legacyId === undefined ? 0x1100 : device.deviceId,
      interruptPin: true,
    })
    this.msix = new Msix(this.config, MSIX_BAR, this.vectorCount)
    const registers = this.registers()
    addVirtioCapabilities(this.config, registers, device.config.length)
    this.config.addBar({ index: MSIX_BAR, kind: 'memory32', size: MSIX_BAR_BYTES, device: this.msix })
    this.config.addBar({
      index: REGION_BAR,
      kind: 'memory32',
      size: REGION_BAR_BYTES,
      device: registers,
      moved: (address) => this.moveNotifies(address),
    })
    this.config.commandChanged = () => this.commandChanged()
    this.common = new CommonConfig(device.queueSizes, this)
    if (legacyId !== undefined) {
      this.legacy = new LegacyRegisters(this)
      this.config.addBar({ index: LEGACY_BAR, kind: 'io', size: LEGACY_BAR_BYTES, device: this.legacy })
    }
    this.queues = device.queueSizes.map(
      (size, index) => new Virtqueue(this.memory, index, size, (error) => this.fail(error.message)),
    )
  }

  attach(slot: PciSlot): void {
    this.slot = slot
    this.msix.attach(slot.platform.interrupts)
    for (const index of this.queues.keys()) {
      const fd = libc.check('eventfd', libc.eventfdCreate(0, libc.EFD.CLOEXEC | libc.EFD.NONBLOCK))
      const registration = slot.platform.loop.onReadable(fd, () => {
        // Take the count first: a ring that comes after this is a new event.
        if (libc.read(fd, this.kickBuffer, EVENTFD_BYTES) === EVENTFD_BYTES) this.notified(index)
      })
      this.kicks.push({ fd, registration })
    }
  }

  /** The whole machine is reset, not only the device by its driver. */
  reset(): void {
    this.resetDevice()
    this.msix.reset()
  }

  close(): void {
    if (this.slot === undefined) return
    this.resetDevice()
    this.device.close()
    this.moveNotifies(undefined)
    for (const { fd, registration } of this.kicks.splice(0)) {
      registration.remove()
      libc.close(fd)
    }
    this.msix.close()
    this.slot = undefined
  }

  get featuresOpen(): boolean {
    return (this.status & STATUS.FEATURES_OK) === 0
  }

  /** Section 2.1. What a write changes is computed before anything is stored. */
  writeStatus(value: number): void {
    if (value === 0) {
      this.resetDevice()
      return
    }
    // Bits only leave by a reset, and NEEDS_RESET is the device's own.
    let added = value & ~this.status & ~STATUS.DEVICE_NEEDS_RESET
    if ((added & STATUS.FEATURES_OK) !== 0 && !this.featuresAcceptable()) added &= ~STATUS.FEATURES_OK
    const featuresOk = ((this.status | added) & STATUS.FEATURES_OK) !== 0
    if (!featuresOk) added &= ~STATUS.DRIVER_OK
    this.status |= added
    if ((added & STATUS.DRIVER_OK) !== 0 && (this.status & STATUS.DEVICE_NEEDS_RESET) === 0) this.activate()
  }

  save(): { msix: PciFunctionState['msix']; virtio: VirtioState } {
    const { device } = this
    if (this.legacyDriver) throw new Error(`${this.name} has a legacy driver, whose state cannot be saved`)
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
      msix: this.msix.save(),
      virtio: {
        ...{ name: device.name, status, isr, configGeneration, ...common, queues },
        ...(state === undefined ? {} : { device: state }),
      },
    }
  }

  restore({ msix, virtio: state }: PciFunctionState): void {
    if (msix === undefined || state === undefined || state.name !== this.device.name) {
      throw new Error(`the snapshot of this ${this.name} is incomplete`)
    }
    this.msix.restore(msix)
    this.common.restore(state)
    this.configGeneration = state.configGeneration
    this.isr = state.isr
    this.slot?.intx.set(this.isr !== 0)
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
    if ((this.status & STATUS.DRIVER_OK) === 0 || (this.status & STATUS.DEVICE_NEEDS_RESET) !== 0) return
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
    const features = this.common.driverFeatures
    try {
      this.queues[index]!.enable({
        size: registers.size,
        descriptors: registers.address(0),
        available: registers.address(1),
        used: registers.address(2),
        eventIndex: (features & VIRTIO_F_RING_EVENT_IDX) !== 0n,
        indirect: (features & VIRTIO_F_RING_INDIRECT_DESC) !== 0n,
      })
      registers.enabled = true
    } catch (error) {
      this.fail(messageOf(error))
    }
  }

  private featuresAcceptable(): boolean {
    const chosen = this.common.driverFeatures
    if ((chosen & ~this.offeredFeatures) !== 0n) return false
    // 6.1: a device without the legacy interface may insist on VERSION_1.
    if ((chosen & VIRTIO_F_VERSION_1) === 0n) return false
    return this.device.acceptsFeatures?.(chosen) ?? true
  }

  get usesVectors(): boolean {
    return this.msix.enabled
  }

  /** A legacy driver acknowledges no features (3.1.2): its queues go live with DRIVER_OK. */
  writeLegacyStatus(value: number): void {
    if (value === 0) {
      this.resetDevice()
      return
    }
    this.legacyDriver = true
    const added = value & ~this.status & ~(STATUS.DEVICE_NEEDS_RESET | STATUS.FEATURES_OK)
    this.status |= added
    if ((added & STATUS.DRIVER_OK) === 0 || (this.status & STATUS.DEVICE_NEEDS_RESET) !== 0) return
    const chosen = this.common.driverFeatures
    if ((chosen & ~this.offeredFeatures) !== 0n || this.device.acceptsFeatures?.(chosen) === false) {
      this.fail(`features 0x${chosen.toString(16)} were not offered, or do not go together`)
      return
    }
    for (const [index, page] of this.legacyPages) this.enableLegacyQueue(index, page)
    if ((this.status & STATUS.DEVICE_NEEDS_RESET) === 0) this.activate()
  }

  placeQueue(index: number, page: number): void {
    if (page === 0) {
      this.legacyPages.delete(index)
      this.queues[index]!.disable()
      return
    }
    this.legacyPages.set(index, page)
    if (this.active) this.enableLegacyQueue(index, page)
  }

  notifyQueue(index: number): void {
    if (this.queues[index] !== undefined) this.notified(index)
  }

  private enableLegacyQueue(index: number, page: number): void {
    const { maxSize } = this.queues[index]!
    const features = this.common.driverFeatures
    try {
      this.queues[index]!.enable({
        size: maxSize,
        ...legacyRing(page, maxSize),
        eventIndex: (features & VIRTIO_F_RING_EVENT_IDX) !== 0n,
        indirect: (features & VIRTIO_F_RING_INDIRECT_DESC) !== 0n,
      })
    } catch (error) {
      this.fail(messageOf(error))
    }
  }

  private activate(): void {
    const context = this.begin()
    this.guard(() => this.device.activate(context))
    // Some drivers fill and ring their queues before DRIVER_OK; look once so that nothing waits for ever.
    this.lookAtQueues()
  }

  private begin(): VirtioContext {
    this.active = true
    return {
      memory: this.memory,
      features: this.common.driverFeatures,
      queues: this.queues,
      loop: guardedLoop(this.slot!.platform.loop, (error) => this.fail(messageOf(error))),
      interrupt: (index) => this.queueInterrupt(index),
      configChanged: () => this.configChanged(),
      fail: (reason) => this.fail(reason),
    }
  }

  private lookAtQueues(): void {
    for (const [index, queue] of this.queues.entries()) if (queue.enabled) this.notified(index)
  }

  private notified(index: number): void {
    this.counters.notifies++
    if (!this.active || !this.queues[index]!.enabled) return
    try {
      this.device.notify(index)
    } catch (error) {
      this.fail(messageOf(error))
    }
  }

  private resetDevice(): void {
    if (this.active) {
      this.active = false
      this.guard(() => this.device.reset())
    }
    for (const queue of this.queues) queue.disable()
    this.common.reset()
    this.legacy?.reset()
    this.legacyPages.clear()
    this.legacyDriver = false
    this.status = 0
    this.isr = 0
    this.slot?.intx.set(false)
  }

  /** The driver broke the rules, or we did: this device stops until its driver resets it. */
  private fail(reason: string): void {
    for (const queue of this.queues) queue.disable()
    if ((this.status & STATUS.DEVICE_NEEDS_RESET) !== 0) return
    this.counters.failures++
    this.log(`${this.name}: ${reason}; the device waits for a reset`)
    this.status |= STATUS.DEVICE_NEEDS_RESET
    // 2.1.2: told by a configuration change notification, if the driver is there to hear it.
    if ((this.status & STATUS.DRIVER_OK) !== 0) this.configChanged()
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

  private signal(vector: number, isrBit: number): void {
    this.counters.interrupts++
    if (this.msix.enabled) {
      if (vector !== VIRTIO_MSI_NO_VECTOR) this.msix.fire(vector)
      return
    }
    this.isr |= isrBit
    this.slot?.intx.set(true)
  }

  private commandChanged(): void {
    this.slot?.intx.update()
    // A guest that takes bus mastering away (kexec does) must find its memory left alone.
    const master = this.config.busMaster
    for (const queue of this.queues) queue.setPaused(!master)
    if (master && this.active) this.lookAtQueues()
  }

  private moveNotifies(address: number | undefined): void {
    const notifies = this.slot?.platform.notifies
    if (notifies === undefined) return
    const before = this.notifyAddress
    this.notifyAddress = address
    for (const [index, { fd }] of this.kicks.entries()) {
      const offset = REGION.NOTIFY.offset + index * REGION.NOTIFY.multiplier
      // Length 0 matches any width, and lets KVM skip decoding the instruction (its "fast MMIO").
      if (before !== undefined) notifies.remove('mmio', before + offset, 0, fd)
      if (address !== undefined) notifies.add('mmio', address + offset, 0, fd)
    }
  }

  /** What lies behind the BAR, a page each. */
  private registers(): BusDevice {
    return {
      name: this.name,
      read: (offset, size) => {
        const at = offset & 0xfff
        switch (offset & ~0xfff) {
          case REGION.COMMON.offset:
            return at < COMMON_CONFIG_BYTES ? this.common.read(at, size) : 0
          case REGION.ISR.offset:
            return at === 0 ? this.readIsr() : 0
          case REGION.DEVICE.offset:
            return at < this.device.config.length ? this.device.config.read(at, size) : 0
          default:
            return 0
        }
      },
      write: (offset, size, value) => {
        const at = offset & 0xfff
        switch (offset & ~0xfff) {
          case REGION.COMMON.offset:
            this.common.write(at, size, value)
            break
          case REGION.DEVICE.offset:
            if (at < this.device.config.length) this.device.config.write(at, size, value)
            break
          case REGION.NOTIFY.offset: {
            const index = at / REGION.NOTIFY.multiplier
            if (this.queues[index] !== undefined) this.notified(index)
          }
        }
      },
    }
  }

  /** Section 4.1.4.5: reading acknowledges. */
  readIsr(): number {
    const value = this.isr
    this.isr = 0
    this.slot?.intx.set(false)
    return value
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
