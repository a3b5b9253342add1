import type { BusDevice } from '../bus/device.ts'
import type { ConfigSpace } from '../pci/config-space.ts'
import { CAPABILITY_ID } from '../pci/registers.ts'
import { COMMON_CONFIG_BYTES } from './common-config.ts'

export const MSIX_BAR = 1
export const REGION_BAR = 4
export const REGION_BAR_BYTES = 16384

/** The structures of VIRTIO 1.2, section 4.1.4, in BAR 4: a page each. */
export const REGION = {
  COMMON: { type: 1, offset: 0x0000 },
  ISR: { type: 3, offset: 0x1000 },
  DEVICE: { type: 4, offset: 0x2000 },
  /** A queue's notify address is offset + queue_notify_off × multiplier. */
  NOTIFY: { type: 2, offset: 0x3000, multiplier: 4 },
} as const
const PCI_CFG_TYPE = 5

const le32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
]

/** struct virtio_pci_cap after its id and link; `extra` are the bytes some types have behind it. */
function body(type: number, offset: number, length: number, extra: readonly number[] = []): number[] {
  const capLength = 16 + extra.length
  return [capLength, type, REGION_BAR, 0, 0, 0, ...le32(offset), ...le32(length), ...extra]
}

/** Adds the capabilities through which a driver finds its registers. `registers` is what BAR 4 leads to. */
export function addVirtioCapabilities(
  config: ConfigSpace,
  registers: BusDevice,
  deviceConfigBytes: number,
): void {
  const add = (bytes: readonly number[]) => config.addCapability(CAPABILITY_ID.VENDOR, bytes)
  add(body(REGION.COMMON.type, REGION.COMMON.offset, COMMON_CONFIG_BYTES))
  add(body(REGION.ISR.type, REGION.ISR.offset, 1))
  // 4.1.4.6.1: only a device that has a configuration structure has this one.
  if (deviceConfigBytes > 0) add(body(REGION.DEVICE.type, REGION.DEVICE.offset, deviceConfigBytes))
  add(body(REGION.NOTIFY.type, REGION.NOTIFY.offset, 0x1000, le32(REGION.NOTIFY.multiplier)))
  addConfigAccess(config, registers)
}

/** Section 4.1.4.9: a window into the BAR for software that cannot map it. Its bar, offset and length are the driver's. */
function addConfigAccess(config: ConfigSpace, registers: BusDevice): void {
  const all = [0xff, 0xff, 0xff, 0xff]
  const capability = config.addCapability(CAPABILITY_ID.VENDOR, body(PCI_CFG_TYPE, 0, 0, [0, 0, 0, 0]), [
    0,
    0,
    0xff,
    0,
    0,
    0,
    ...all,
    ...all,
    ...all,
  ])
  const data = capability + 16
  /** The offset that the window shows, or -1 where it shows nothing. */
  const window = (): number => {
    const offset = config.get(capability + 8, 4)
    const length = config.get(capability + 12, 4)
    const valid =
      config.get(capability + 4, 1) === REGION_BAR &&
      (length === 1 || length === 2 || length === 4) &&
      offset % length === 0 &&
      offset + length <= REGION_BAR_BYTES
    return valid ? offset : -1
  }
  config.hook({
    start: data,
    end: data + 4,
    reads: (offset, size) => {
      const at = window()
      const value = at < 0 ? 0 : registers.read(at, config.get(capability + 12, 4))
      const shifted = value >>> ((offset - data) * 8)
      return size === 4 ? shifted : size === 2 ? shifted & 0xffff : shifted & 0xff
    },
    written: () => {
      const at = window()
      const length = config.get(capability + 12, 4)
      if (at >= 0) registers.write(at, length, config.get(data, length))
    },
  })
}
