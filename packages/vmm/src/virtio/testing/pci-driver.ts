/**
 * A virtio-pci driver built by hand, walking configuration space and registers as Linux does
 * (drivers/virtio/virtio_pci_modern*.c describes the order): for tests of the transport and, through it, of
 * every device.
 */
import { devicesStateSchema } from '@hearth/shared/vm-snapshot'
import type { FrameBuffer } from '../../display/frame-buffer.ts'
import { PciBus } from '../../pci/bus.ts'
import { PCI } from '../../pci/registers.ts'
import { STATUS, VIRTIO_F_VERSION_1 } from '../constants.ts'
import type { VirtioDevice } from '../device.ts'
import { VirtioPciFunction } from '../pci-transport.ts'
import { TestQueue } from './driver.ts'
import type { TestMachine } from './machine.ts'

const FIRST_SLOT = 2
const LAYOUT = { mmio32Start: 0xc000_0000, mmio32End: 0xe000_0000, ecamStart: 0xe000_0000 }
/** Offsets in the common configuration (section 4.1.4.3). */
export const COMMON = {
  DEVICE_FEATURE_SELECT: 0,
  DEVICE_FEATURE: 4,
  DRIVER_FEATURE_SELECT: 8,
  DRIVER_FEATURE: 12,
  CONFIG_VECTOR: 16,
  NUM_QUEUES: 18,
  STATUS: 20,
  GENERATION: 21,
  QUEUE_SELECT: 22,
  QUEUE_SIZE: 24,
  QUEUE_VECTOR: 26,
  QUEUE_ENABLE: 28,
  QUEUE_NOTIFY_OFF: 30,
  QUEUE_DESC: 32,
  QUEUE_DRIVER: 40,
  QUEUE_DEVICE: 48,
} as const

export class PciDriver {
  readonly machine: TestMachine
  readonly bus: PciBus
  readonly fn: VirtioPciFunction
  readonly messages: string[] = []
  queues: TestQueue[] = []
  /** Guest memory after the rings is the test's. */
  data = 0x100_000
  private readonly slot: number

  /** With `beside` the device is on that driver's bus, in the next slot. */
  constructor(machine: TestMachine, device: VirtioDevice, frameBuffer?: FrameBuffer, beside?: PciDriver) {
    this.machine = machine
    this.bus = beside?.bus ?? new PciBus(machine.platform, LAYOUT)
    this.slot = beside === undefined ? FIRST_SLOT : beside.slot + 1
    this.fn = new VirtioPciFunction(device, {
      memory: machine.memory,
      log: (message) => this.messages.push(message),
      frameBuffer,
    })
    this.bus.plug(this.slot, this.fn)
  }

  /** What a snapshot does: the state goes through its document to `device` of another process; memory and driver stay. */
  moveTo(device: VirtioDevice, frameBuffer?: FrameBuffer): PciDriver {
    const state = devicesStateSchema.shape.pci.parse(JSON.parse(JSON.stringify(this.bus.save())))
    this.bus.close()
    this.machine.vectors.length = 0
    const moved = new PciDriver(this.machine, device, frameBuffer)
    moved.queues = this.queues
    moved.data = this.data
    moved.bus.restore(state)
    moved.bus.resumed()
    return moved
  }

  pciRead(register: number, size: number): number {
    return this.bus.ecam.read((this.slot << 15) + register, size)
  }

  pciWrite(register: number, size: number, value: number): void {
    this.bus.ecam.write((this.slot << 15) + register, size, value)
  }

  /** The structure of `type`: where it is in guest physical space, how long, and the capability's own offset. */
  structure(type: number): { address: number; length: number; capability: number } {
    for (let at = this.pciRead(PCI.CAPABILITIES_POINTER, 1); at !== 0; at = this.pciRead(at + 1, 1)) {
      if (this.pciRead(at, 1) !== 9 || this.pciRead(at + 3, 1) !== type) continue
      const bar = this.pciRead(PCI.BAR0 + this.pciRead(at + 4, 1) * 4, 4)
      return {
        address: bar + this.pciRead(at + 8, 4),
        length: this.pciRead(at + 12, 4),
        capability: at,
      }
    }
    throw new Error(`no virtio structure of type ${type}`)
  }

  common(offset: number, size: number): number {
    return this.machine.mmio.read(this.structure(1).address + offset, size)
  }

  setCommon(offset: number, size: number, value: number): void {
    this.machine.mmio.write(this.structure(1).address + offset, size, value)
  }

  get status(): number {
    return this.common(COMMON.STATUS, 1)
  }

  set status(value: number) {
    this.setCommon(COMMON.STATUS, 1, value)
  }

  configRead(offset: number, size: number): number {
    return this.machine.mmio.read(this.structure(4).address + offset, size)
  }

  offered(): bigint {
    this.setCommon(COMMON.DEVICE_FEATURE_SELECT, 4, 0)
    const low = BigInt(this.common(COMMON.DEVICE_FEATURE, 4))
    this.setCommon(COMMON.DEVICE_FEATURE_SELECT, 4, 1)
    return low | (BigInt(this.common(COMMON.DEVICE_FEATURE, 4)) << 32n)
  }

  /** Resets, acknowledges and negotiates; returns whether the device kept FEATURES_OK. */
  negotiate(features: bigint): boolean {
    this.status = 0
    this.status = STATUS.ACKNOWLEDGE
    this.status |= STATUS.DRIVER
    for (const half of [0, 1]) {
      this.setCommon(COMMON.DRIVER_FEATURE_SELECT, 4, half)
      this.setCommon(COMMON.DRIVER_FEATURE, 4, Number((features >> BigInt(32 * half)) & 0xffff_ffffn))
    }
    this.status |= STATUS.FEATURES_OK
    return (this.status & STATUS.FEATURES_OK) !== 0
  }

  /** Enables MSI-X and gives every queue and the configuration a vector of its own: 0 config, 1 + n queue n. */
  enableMsix(): void {
    let cap = this.pciRead(PCI.CAPABILITIES_POINTER, 1)
    while (this.pciRead(cap, 1) !== 0x11) cap = this.pciRead(cap + 1, 1)
    this.pciWrite(cap + 2, 2, 0x8000)
    const table = this.pciRead(PCI.BAR0 + 4 * (this.pciRead(cap + 4, 4) & 7), 4)
    const count = (this.pciRead(cap + 2, 2) & 0x7ff) + 1
    for (let i = 0; i < count; i++) {
      this.machine.mmio.write(table + i * 16, 4, 0xfee0_0000)
      this.machine.mmio.write(table + i * 16 + 8, 4, 0x30 + i)
      this.machine.mmio.write(table + i * 16 + 12, 4, 0)
    }
    this.setCommon(COMMON.CONFIG_VECTOR, 2, 0)
  }

  /** Sets every queue up with `size` entries (or its largest) and enables it. */
  setUpQueues(size?: number, at = 0x10_000): void {
    this.queues = []
    let next = at
    for (let i = 0; i < this.common(COMMON.NUM_QUEUES, 2); i++) {
      this.setCommon(COMMON.QUEUE_SELECT, 2, i)
      const queue = new TestQueue(this.machine.memory, next, size ?? this.common(COMMON.QUEUE_SIZE, 2))
      next = queue.end
      this.setCommon(COMMON.QUEUE_SIZE, 2, queue.size)
      this.setCommon(COMMON.QUEUE_VECTOR, 2, i + 1)
      for (const [offset, address] of [
        [COMMON.QUEUE_DESC, queue.descriptors],
        [COMMON.QUEUE_DRIVER, queue.available],
        [COMMON.QUEUE_DEVICE, queue.used],
      ] as const) {
        this.setCommon(offset, 4, address % 2 ** 32)
        this.setCommon(offset + 4, 4, Math.floor(address / 2 ** 32))
      }
      this.setCommon(COMMON.QUEUE_ENABLE, 2, 1)
      this.queues.push(queue)
    }
  }

  /** All of it, as a driver's probe does. */
  start(features: bigint, size?: number, at?: number): void {
    if (!this.negotiate(features | VIRTIO_F_VERSION_1)) throw new Error('the device refused the features')
    this.enableMsix()
    this.setUpQueues(size, at)
    this.status |= STATUS.DRIVER_OK
  }

  notifyAddress(queue: number): number {
    const { address, capability } = this.structure(2)
    this.setCommon(COMMON.QUEUE_SELECT, 2, queue)
    return address + this.common(COMMON.QUEUE_NOTIFY_OFF, 2) * this.pciRead(capability + 16, 4)
  }

  kick(queue: number): void {
    this.machine.ring(this.notifyAddress(queue))
  }

  /** Interrupts of queue `index` so far. */
  interrupts(index: number): number {
    return this.machine.vectors[index + 1]!.fired
  }
}
