import type { VirtioState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { IrqPin, Platform } from '../io/platform.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import type { VirtioDevice } from './device.ts'
import { QueueKicks } from './queue-kicks.ts'
import { type TransportLink, VirtioTransport } from './transport.ts'

/** VIRTIO 1.2, section 4.2.2, MMIO Device Register Layout. */
const REGISTER = {
  MAGIC: 0x00,
  VERSION: 0x04,
  DEVICE_ID: 0x08,
  VENDOR_ID: 0x0c,
  DEVICE_FEATURES: 0x10,
  DEVICE_FEATURES_SELECT: 0x14,
  DRIVER_FEATURES: 0x20,
  DRIVER_FEATURES_SELECT: 0x24,
  QUEUE_SELECT: 0x30,
  QUEUE_SIZE_MAX: 0x34,
  QUEUE_SIZE: 0x38,
  QUEUE_READY: 0x44,
  QUEUE_NOTIFY: 0x50,
  INTERRUPT_STATUS: 0x60,
  INTERRUPT_ACK: 0x64,
  STATUS: 0x70,
  QUEUE_DESCRIPTORS: 0x80,
  QUEUE_DRIVER: 0x90,
  QUEUE_DEVICE: 0xa0,
  SHARED_MEMORY_LENGTH: 0xb0,
  SHARED_MEMORY_BASE: 0xb8,
  CONFIG_GENERATION: 0xfc,
  CONFIG: 0x100,
} as const
/** "virt". */
const MAGIC = 0x7472_6976
const VERSION = 2
/** "HRTH": nobody looks at it. */
const VENDOR = 0x4854_5248
const ONES = 0xffff_ffff
const NO_SHARED_MEMORY: readonly number[] = [
  REGISTER.SHARED_MEMORY_LENGTH,
  REGISTER.SHARED_MEMORY_LENGTH + 4,
  REGISTER.SHARED_MEMORY_BASE,
  REGISTER.SHARED_MEMORY_BASE + 4,
]

/**
 * Registers that are those of the common configuration (4.1.4.3) at another place and another width: what a driver does
 * with them is the same.
 */
const COMMON = new Map<number, readonly [offset: number, bytes: number]>([
  [REGISTER.DEVICE_FEATURES, [4, 4]],
  [REGISTER.DEVICE_FEATURES_SELECT, [0, 4]],
  [REGISTER.DRIVER_FEATURES, [12, 4]],
  [REGISTER.DRIVER_FEATURES_SELECT, [8, 4]],
  [REGISTER.QUEUE_SELECT, [22, 2]],
  [REGISTER.QUEUE_SIZE, [24, 2]],
  [REGISTER.QUEUE_READY, [28, 2]],
  [REGISTER.STATUS, [20, 1]],
  [REGISTER.QUEUE_DESCRIPTORS, [32, 4]],
  [REGISTER.QUEUE_DESCRIPTORS + 4, [36, 4]],
  [REGISTER.QUEUE_DRIVER, [40, 4]],
  [REGISTER.QUEUE_DRIVER + 4, [44, 4]],
  [REGISTER.QUEUE_DEVICE, [48, 4]],
  [REGISTER.QUEUE_DEVICE + 4, [52, 4]],
  [REGISTER.CONFIG_GENERATION, [21, 1]],
])

export interface VirtioMmioOptions {
  readonly memory: GuestMemory
  readonly log?: ((message: string) => void) | undefined
  readonly platform: Platform
  /** Guest address of its registers, `VIRTIO_MMIO_BYTES` of them. */
  readonly address: number
  /** IOAPIC pin, high while there is something the driver has not acknowledged. */
  readonly irq: number
}

/** Registers, and the largest configuration behind them. */
export const VIRTIO_MMIO_BYTES = 0x1000

/** VIRTIO 1.2 over MMIO (section 4.2), version 2: one device at a fixed address with one interrupt line. */
export class VirtioMmioDevice implements BusDevice, TransportLink {
  readonly name: string
  readonly transport: VirtioTransport
  private readonly platform: Platform
  private readonly address: number
  private readonly pin: IrqPin
  private readonly kicks: QueueKicks

  constructor(device: VirtioDevice, options: VirtioMmioOptions) {
    const { platform, address, irq } = options
    this.platform = platform
    this.address = address
    this.pin = platform.interrupts.pin(irq)
    this.transport = new VirtioTransport(device, this, options)
    const { transport } = this
    this.name = `${transport.name} (mmio)`
    this.kicks = new QueueKicks(platform.loop, transport.queues.length, (index) => transport.notified(index))
    platform.mmio.add(address, VIRTIO_MMIO_BYTES, this)
    // All queues have one address; what is written there names the queue.
    this.kicks.each((fd, index) =>
      platform.notifies.add('mmio', address + REGISTER.QUEUE_NOTIFY, 4, fd, index),
    )
  }

  close(): void {
    const { platform, address } = this
    this.transport.reset()
    this.transport.device.close()
    platform.mmio.remove(address)
    this.kicks.each((fd, index) =>
      platform.notifies.remove('mmio', address + REGISTER.QUEUE_NOTIFY, 4, fd, index),
    )
    this.kicks.close()
  }

  save(): VirtioState {
    return this.transport.save()
  }

  restore(state: VirtioState): void {
    this.transport.restore(state)
    this.pin.setLevel(this.transport.isr !== 0)
  }

  signal(_vector: number, isr: number): void {
    this.transport.isr |= isr
    this.pin.setLevel(true)
  }

  quiet(): void {
    this.pin.setLevel(false)
  }

  wasReset(): void {}

  loop() {
    return this.platform.loop
  }

  read(offset: number, size: number): number {
    const { transport } = this
    const { device, common } = transport
    if (offset >= REGISTER.CONFIG) {
      const at = offset - REGISTER.CONFIG
      return at < device.config.length ? device.config.read(at, size) : 0
    }
    // 4.2.2.2: the driver uses 32 bits, aligned.
    if (size !== 4) return 0
    const known = COMMON.get(offset)
    if (known !== undefined) return common.read(...known)
    switch (offset) {
      case REGISTER.MAGIC:
        return MAGIC
      case REGISTER.VERSION:
        return VERSION
      case REGISTER.DEVICE_ID:
        return device.deviceId
      case REGISTER.VENDOR_ID:
        return VENDOR
      case REGISTER.QUEUE_SIZE_MAX:
        return common.queues[common.queueSelect]?.maxSize ?? 0
      case REGISTER.INTERRUPT_STATUS:
        return transport.isr
      default:
        return NO_SHARED_MEMORY.includes(offset) ? ONES : 0
    }
  }

  write(offset: number, size: number, value: number): void {
    const { transport } = this
    const { device, common } = transport
    if (offset >= REGISTER.CONFIG) {
      const at = offset - REGISTER.CONFIG
      if (at < device.config.length) device.config.write(at, size, value)
      return
    }
    if (size !== 4) return
    if (offset === REGISTER.QUEUE_READY && value === 0) {
      transport.disableQueue(common.queueSelect)
      return
    }
    const known = COMMON.get(offset)
    if (known !== undefined) {
      const [at, bytes] = known
      common.write(at, bytes, bytes === 4 ? value : value & (2 ** (8 * bytes) - 1))
    } else if (offset === REGISTER.QUEUE_NOTIFY) transport.notified(value)
    else if (offset === REGISTER.INTERRUPT_ACK) transport.acknowledge(value)
  }
}
