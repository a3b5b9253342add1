import { STATUS } from './constants.ts'
import { LegacyRegisters, type LegacyTarget, legacyRing } from './legacy-registers.ts'
import type { VirtioTransport } from './transport.ts'

/** The life of a device whose driver came by the legacy interface (VIRTIO 1.2, 3.1.2 and 4.1.4.10). */
export class LegacyDriver implements LegacyTarget {
  readonly registers: LegacyRegisters
  /** The driver set its status through this interface. */
  present = false
  private readonly transport: VirtioTransport
  private readonly vectors: () => boolean
  private readonly pages = new Map<number, number>()

  /** `vectors` tells whether interrupts are messages now. */
  constructor(transport: VirtioTransport, vectors: () => boolean) {
    this.transport = transport
    this.vectors = vectors
    this.registers = new LegacyRegisters(this)
  }

  get common() {
    return this.transport.common
  }
  get device() {
    return this.transport.device
  }
  get offeredFeatures(): bigint {
    return this.transport.offeredFeatures
  }
  get status(): number {
    return this.transport.status
  }
  get usesVectors(): boolean {
    return this.vectors()
  }

  reset(): void {
    this.registers.reset()
    this.pages.clear()
    this.present = false
  }

  /** Such a driver acknowledges no features: its queues go live with DRIVER_OK. */
  writeLegacyStatus(value: number): void {
    const { transport } = this
    if (value === 0) {
      transport.writeStatus(0)
      return
    }
    this.present = true
    const added = value & ~transport.status & ~(STATUS.DEVICE_NEEDS_RESET | STATUS.FEATURES_OK)
    transport.status |= added
    if ((added & STATUS.DRIVER_OK) === 0 || transport.needsReset) return
    const chosen = transport.common.driverFeatures
    if ((chosen & ~this.offeredFeatures) !== 0n || this.device.acceptsFeatures?.(chosen) === false) {
      transport.fail(`features 0x${chosen.toString(16)} were not offered, or do not go together`)
      return
    }
    for (const [index, page] of this.pages) this.enable(index, page)
    if (!transport.needsReset) transport.activate()
  }

  placeQueue(index: number, page: number): void {
    if (page === 0) {
      this.pages.delete(index)
      this.transport.queues[index]!.disable()
      return
    }
    this.pages.set(index, page)
    if (this.transport.active) this.enable(index, page)
  }

  notifyQueue(index: number): void {
    this.transport.notified(index)
  }

  /** Section 4.1.4.5: reading acknowledges. */
  readIsr(): number {
    const value = this.transport.isr
    this.transport.acknowledge(value)
    return value
  }

  private enable(index: number, page: number): void {
    const { maxSize } = this.transport.queues[index]!
    this.transport.placeQueue(index, { size: maxSize, ...legacyRing(page, maxSize) })
  }
}
