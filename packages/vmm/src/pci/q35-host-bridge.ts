import { ConfigSpace } from './config-space.ts'
import type { PciFunction } from './function.ts'

/** Registers of the memory controller hub (Intel 3 Series chipset family data sheet, 5.1). */
const PCIEXBAR = 0x60
const PCIEXBAR_ENABLE = 1
const PCIEXBAR_BASE = 0xf000_0000
const PAM0 = 0x90
const PAM_REGISTERS = 7
const PAM_READ_WRITE_BOTH = 0x33
const SMRAM = 0x9d

export const Q35_HOST_BRIDGE = 'q35-host-bridge'

/**
 * Function 00:00.0 as firmware knows it: Intel's Q35, whose power management block firmware expects at 0x600,
 * where this machine has it. The subsystem says that it is a virtual one. Of its registers the one that places
 * the PCI configuration window works; the shadow RAM switches are kept and do nothing: the memory below 1 MiB is
 * always RAM, so a guest can overwrite the copy of its own BIOS there and harm nobody else.
 */
export class Q35HostBridge implements PciFunction {
  readonly name = Q35_HOST_BRIDGE
  readonly config = new ConfigSpace({
    vendor: 0x8086,
    device: 0x29c0,
    revision: 0,
    classCode: 0x06_00_00,
    subsystemVendor: 0x1af4,
    subsystem: 0x1100,
    interruptPin: false,
  })

  private readonly placed: (base: number | undefined) => void

  /** `placed` is told where firmware puts the configuration window; undefined: nowhere. */
  constructor(placed: (base: number | undefined) => void) {
    this.config.addRegister(PCIEXBAR, [0, 0, 0, 0], [PCIEXBAR_ENABLE, 0, 0, PCIEXBAR_BASE >>> 24])
    const all = (value: number): number[] => new Array<number>(PAM_REGISTERS).fill(value)
    this.config.addRegister(PAM0, all(0), all(PAM_READ_WRITE_BOTH))
    this.config.addRegister(SMRAM, [0x02], [0x78])
    this.config.hook({
      start: PCIEXBAR,
      end: PCIEXBAR + 4,
      written: () => this.place(),
    })
    this.placed = placed
  }

  restore(): void {
    this.place()
  }

  private place(): void {
    const value = this.config.get(PCIEXBAR, 4)
    this.placed(value & PCIEXBAR_ENABLE ? (value & PCIEXBAR_BASE) >>> 0 : undefined)
  }

  attach(): void {}
  reset(): void {}
  close(): void {}
}
