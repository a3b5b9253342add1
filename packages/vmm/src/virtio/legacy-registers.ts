/**
 * The legacy interface of a transitional device (VIRTIO 1.2, 4.1.4.10): registers in an I/O BAR, a ring in one piece at
 * a page number. For drivers from before 2016, as unikernels still have them.
 */
import type { BusDevice } from '../bus/device.ts'
import type { CommonConfig } from './common-config.ts'
import type { VirtioDevice } from './device.ts'

/** Holds the registers, with vectors, and every device's configuration behind them. */
export const LEGACY_BAR_BYTES = 128
const REGISTER = {
  DEVICE_FEATURES: 0,
  DRIVER_FEATURES: 4,
  QUEUE_ADDRESS: 8,
  QUEUE_SIZE: 12,
  QUEUE_SELECT: 14,
  QUEUE_NOTIFY: 16,
  DEVICE_STATUS: 18,
  ISR_STATUS: 19,
  CONFIG_VECTOR: 20,
  QUEUE_VECTOR: 22,
} as const
const CONFIG_WITHOUT_VECTORS = 20
const CONFIG_WITH_VECTORS = 24
/** Offsets in the common configuration, whose registers these stand for. */
const COMMON = {
  FEATURE_SELECT: 8,
  FEATURES: 12,
  CONFIG_VECTOR: 16,
  QUEUE_SELECT: 22,
  QUEUE_SIZE: 24,
  QUEUE_VECTOR: 26,
}
const PAGE = 4096
const DESCRIPTOR_BYTES = 16

/** Where the parts of a legacy ring lie (2.7.2): the used ring begins a new page. */
export function legacyRing(
  page: number,
  size: number,
): { descriptors: number; available: number; used: number } {
  const descriptors = page * PAGE
  const available = descriptors + size * DESCRIPTOR_BYTES
  return { descriptors, available, used: Math.ceil((available + 6 + size * 2) / PAGE) * PAGE }
}

export interface LegacyTarget {
  readonly common: CommonConfig
  readonly device: VirtioDevice
  readonly offeredFeatures: bigint
  readonly status: number
  readonly usesVectors: boolean
  /** Any bit may be set; 0 resets. */
  writeLegacyStatus(value: number): void
  /** The ring of queue `index` lies at this page number; 0 takes it away. */
  placeQueue(index: number, page: number): void
  notifyQueue(index: number): void
  readIsr(): number
}

export class LegacyRegisters implements BusDevice {
  readonly name: string
  private readonly target: LegacyTarget
  private selected = 0
  private readonly pages: number[]

  constructor(target: LegacyTarget) {
    this.name = `virtio-${target.device.name} (legacy)`
    this.target = target
    this.pages = target.device.queueSizes.map(() => 0)
  }

  reset(): void {
    this.selected = 0
    this.pages.fill(0)
  }

  read(offset: number, size: number): number {
    const { common, device } = this.target
    const config = this.configStart
    if (offset >= config)
      return offset - config < device.config.length ? device.config.read(offset - config, size) : 0
    switch (offset) {
      case REGISTER.DEVICE_FEATURES:
        return size === 4 ? Number(this.target.offeredFeatures & 0xffff_ffffn) : 0
      case REGISTER.DRIVER_FEATURES:
        return Number(common.driverFeatures & 0xffff_ffffn)
      case REGISTER.QUEUE_ADDRESS:
        return this.pages[this.selected] ?? 0
      case REGISTER.QUEUE_SIZE:
        return common.read(COMMON.QUEUE_SIZE, 2)
      case REGISTER.QUEUE_SELECT:
        return this.selected
      case REGISTER.DEVICE_STATUS:
        return this.target.status
      case REGISTER.ISR_STATUS:
        return this.target.readIsr()
      case REGISTER.CONFIG_VECTOR:
        return common.read(COMMON.CONFIG_VECTOR, 2)
      case REGISTER.QUEUE_VECTOR:
        return common.read(COMMON.QUEUE_VECTOR, 2)
      default:
        return 0
    }
  }

  write(offset: number, size: number, value: number): void {
    const { common, device } = this.target
    const config = this.configStart
    if (offset >= config) {
      if (offset - config < device.config.length) device.config.write(offset - config, size, value)
      return
    }
    switch (offset) {
      case REGISTER.DRIVER_FEATURES:
        common.write(COMMON.FEATURE_SELECT, 4, 1)
        common.write(COMMON.FEATURES, 4, 0)
        common.write(COMMON.FEATURE_SELECT, 4, 0)
        common.write(COMMON.FEATURES, 4, value)
        break
      case REGISTER.QUEUE_ADDRESS:
        if (this.selected >= this.pages.length) break
        this.pages[this.selected] = value
        this.target.placeQueue(this.selected, value)
        break
      case REGISTER.QUEUE_SELECT:
        this.selected = value & 0xffff
        common.write(COMMON.QUEUE_SELECT, 2, this.selected)
        break
      case REGISTER.QUEUE_NOTIFY:
        this.target.notifyQueue(value & 0xffff)
        break
      case REGISTER.DEVICE_STATUS:
        this.target.writeLegacyStatus(value & 0xff)
        break
      case REGISTER.CONFIG_VECTOR:
        common.write(COMMON.CONFIG_VECTOR, 2, value)
        break
      case REGISTER.QUEUE_VECTOR:
        common.write(COMMON.QUEUE_VECTOR, 2, value)
    }
  }

  /** 4.1.4.10: the vectors are there only while MSI-X is enabled. */
  private get configStart(): number {
    return this.target.usesVectors ? CONFIG_WITH_VECTORS : CONFIG_WITHOUT_VECTORS
  }
}
