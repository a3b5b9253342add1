import type { BusDevice } from '../bus/device.ts'
import { PORT } from '../machine/layout.ts'
import { ConfigSpace } from './config-space.ts'
import type { PciFunction } from './function.ts'

/** Registers of the LPC interface bridge (Intel ICH9 data sheet, 13.1). */
const PMBASE = 0x40
const PMBASE_IO = 1
const ACPI_CNTL = 0x44
const ACPI_EN = 0x80
const PIRQ_ROUTES = [0x60, 0x68] as const
const PIRQ_NOT_ROUTED = 0x80

/**
 * Function 00:1f.0: behind it, for firmware, lie the serial port, the clock and power management. That one's block
 * is where it is (`PORT.pm1aEvent`), whatever is written; interrupt routes are kept for whoever reads them back.
 */
export class LpcBridge implements PciFunction {
  readonly name = 'lpc-bridge'
  readonly config = new ConfigSpace({
    vendor: 0x8086,
    device: 0x2918,
    revision: 2,
    classCode: 0x06_01_00,
    subsystemVendor: 0x1af4,
    subsystem: 0x1100,
    interruptPin: false,
  })

  constructor() {
    const base = PORT.pm1aEvent | PMBASE_IO
    this.config.addRegister(PMBASE, [base & 0xff, base >>> 8, 0, 0], [0, 0, 0, 0])
    this.config.addRegister(ACPI_CNTL, [ACPI_EN], [0])
    for (const at of PIRQ_ROUTES) {
      this.config.addRegister(at, new Array<number>(4).fill(PIRQ_NOT_ROUTED), new Array<number>(4).fill(0x8f))
    }
  }

  attach(): void {}
  reset(): void {}
  close(): void {}
}

/** SMI_EN, 0x30 into the power management block. */
export const SMI_ENABLE_PORT = PORT.pm1aEvent + 0x30
const APMC_EN = 1 << 5

/** There is no system management mode: firmware that would set it up reads that this has been done. */
export const smiEnable: BusDevice = {
  name: 'smi-enable',
  read: () => APMC_EN,
  write() {},
}
