import type { PciFunctionState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { FrameBuffer } from '../display/frame-buffer.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import { ConfigSpace } from '../pci/config-space.ts'
import type { PciFunction, PciSlot } from '../pci/function.ts'
import { MSIX_BAR_BYTES, Msix } from '../pci/msix.ts'
import { COMMON_CONFIG_BYTES } from './common-config.ts'
import { DEVICE_ID, VIRTIO_MSI_NO_VECTOR } from './constants.ts'
import type { VirtioDevice } from './device.ts'
import { LegacyDriver } from './legacy-driver.ts'
import { LEGACY_BAR_BYTES } from './legacy-registers.ts'
import { addVirtioCapabilities, MSIX_BAR, REGION, REGION_BAR, REGION_BAR_BYTES } from './pci-capabilities.ts'
import { QueueKicks } from './queue-kicks.ts'
import { type TransportLink, VirtioTransport } from './transport.ts'

export interface VirtioPciOptions {
  readonly memory: GuestMemory
  /** One line for the monitor's log when a driver breaks the rules. */
  readonly log?: (message: string) => void
  /** With the legacy interface beside the modern one (4.1.4.10). */
  readonly transitional?: boolean
  /** A GPU's frame buffer for who has no driver: the function is a VGA device then. */
  readonly frameBuffer?: FrameBuffer | undefined
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
/** VGA-compatible by its class, so that kernels expect the frame buffer they were started with in its BARs. */
const CLASS_VGA = 0x03_00_00
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

/**
 * VIRTIO 1.2 over PCI (section 4.1): how a driver finds one device's registers, and how interrupts reach it. Queue
 * notifies arrive through eventfds without an exit; one that comes as an ordinary write is served the same way.
 */
export class VirtioPciFunction implements PciFunction, TransportLink {
  readonly name: string
  readonly config: ConfigSpace
  readonly transport: VirtioTransport
  private readonly legacy: LegacyDriver | undefined
  private readonly msix: Msix
  private kicks: QueueKicks | undefined
  private readonly frameBuffer: FrameBuffer | undefined
  private slot: PciSlot | undefined
  private notifyAddress: number | undefined

  constructor(device: VirtioDevice, options: VirtioPciOptions) {
    this.transport = new VirtioTransport(device, this, options)
    this.name = this.transport.name
    const legacyId = options.transitional ? TRANSITIONAL_IDS[device.deviceId] : undefined
    this.config = new ConfigSpace({
      vendor: VIRTIO_VENDOR,
      device: legacyId ?? MODERN_DEVICE_BASE + device.deviceId,
      revision: legacyId === undefined ? 1 : 0,
      classCode:
        options.frameBuffer === undefined ? (CLASS_CODES[device.deviceId] ?? CLASS_OTHER) : CLASS_VGA,
      subsystemVendor: VIRTIO_VENDOR,
      // Legacy drivers tell the device's type by it.
      subsystem: legacyId === undefined ? 0x1100 : device.deviceId,
      interruptPin: true,
    })
    this.msix = new Msix(this.config, MSIX_BAR, this.transport.vectorCount)
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
    this.frameBuffer = options.frameBuffer
    for (const bar of this.frameBuffer?.bars ?? []) this.config.addBar(bar)
    this.config.commandChanged = () => this.commandChanged()
    if (legacyId !== undefined) {
      this.legacy = new LegacyDriver(this.transport, () => this.msix.enabled)
      const { registers: device } = this.legacy
      this.config.addBar({ index: LEGACY_BAR, kind: 'io', size: LEGACY_BAR_BYTES, device })
    }
  }

  attach(slot: PciSlot): void {
    this.slot = slot
    this.msix.attach(slot.platform.interrupts)
    const { transport } = this
    this.kicks = new QueueKicks(slot.platform.loop, transport.queues.length, (index) =>
      transport.notified(index),
    )
  }

  /** The whole machine is reset, not only the device by its driver. */
  reset(): void {
    this.transport.reset()
    this.msix.reset()
  }

  close(): void {
    if (this.slot === undefined) return
    this.transport.reset()
    this.transport.device.close()
    this.moveNotifies(undefined)
    this.kicks?.close()
    this.msix.close()
    this.slot = undefined
  }

  save(): Pick<PciFunctionState, 'msix' | 'virtio' | 'frameBuffer' | 'vbe'> {
    if (this.legacy?.present) throw new Error(`${this.name} has a legacy driver, whose state cannot be saved`)
    return {
      msix: this.msix.save(),
      virtio: this.transport.save(),
      ...this.frameBuffer?.save(),
    }
  }

  restore(state: PciFunctionState): void {
    const { msix, virtio } = state
    if (msix === undefined) throw new Error(`the snapshot of this ${this.name} is incomplete`)
    this.frameBuffer?.restore(state)
    this.msix.restore(msix)
    this.transport.restore(virtio)
    this.slot?.intx.set(this.transport.isr !== 0)
  }

  resumed(): void {
    this.transport.resumed()
  }

  signal(vector: number, isr: number): void {
    if (this.msix.enabled) {
      if (vector !== VIRTIO_MSI_NO_VECTOR) this.msix.fire(vector)
      return
    }
    this.transport.isr |= isr
    this.slot?.intx.set(true)
  }

  quiet(): void {
    this.slot?.intx.set(false)
  }

  wasReset(): void {
    this.legacy?.reset()
  }

  loop() {
    return this.slot!.platform.loop
  }

  private commandChanged(): void {
    this.slot?.intx.update()
    // A guest that takes bus mastering away (kexec does) must find its memory left alone.
    this.transport.setPaused(!this.config.busMaster)
  }

  private moveNotifies(address: number | undefined): void {
    const notifies = this.slot?.platform.notifies
    if (notifies === undefined) return
    const before = this.notifyAddress
    this.notifyAddress = address
    this.kicks?.each((fd, index) => {
      const offset = REGION.NOTIFY.offset + index * REGION.NOTIFY.multiplier
      // Length 0 matches any width, and lets KVM skip decoding the instruction (its "fast MMIO").
      if (before !== undefined) notifies.remove('mmio', before + offset, 0, fd)
      if (address !== undefined) notifies.add('mmio', address + offset, 0, fd)
    })
  }

  /** What lies behind the BAR, a page each. */
  private registers(): BusDevice {
    const { transport } = this
    const { common, device } = transport
    return {
      name: this.name,
      read: (offset, size) => {
        const at = offset & 0xfff
        switch (offset & ~0xfff) {
          case REGION.COMMON.offset:
            return at < COMMON_CONFIG_BYTES ? common.read(at, size) : 0
          case REGION.ISR.offset:
            return at === 0 ? this.readIsr() : 0
          case REGION.DEVICE.offset:
            return at < device.config.length ? device.config.read(at, size) : 0
          default:
            return 0
        }
      },
      write: (offset, size, value) => {
        const at = offset & 0xfff
        switch (offset & ~0xfff) {
          case REGION.COMMON.offset:
            common.write(at, size, value)
            break
          case REGION.DEVICE.offset:
            if (at < device.config.length) device.config.write(at, size, value)
            break
          case REGION.NOTIFY.offset:
            transport.notified(at / REGION.NOTIFY.multiplier)
        }
      },
    }
  }

  /** Section 4.1.4.5: reading acknowledges. */
  private readIsr(): number {
    const { isr } = this.transport
    this.transport.acknowledge(isr)
    return isr
  }
}
