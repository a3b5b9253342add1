import { ConfigSpace } from './config-space.ts'
import type { PciFunction } from './function.ts'

/**
 * Function 00:00.0, without which Linux distrusts configuration mechanism 1. It carries the id of QEMU's
 * generic PCI Express host bridge: an id of a real chipset would promise registers that are not there.
 */
export class HostBridge implements PciFunction {
  readonly name = 'host-bridge'
  readonly config = new ConfigSpace({
    vendor: 0x1b36,
    device: 0x0008,
    revision: 0,
    classCode: 0x06_00_00,
    subsystemVendor: 0x1af4,
    subsystem: 0x1100,
    interruptPin: false,
  })
  attach(): void {}
  reset(): void {}
  close(): void {}
}
