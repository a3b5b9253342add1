/** pvpanic: how a guest kernel says that it panicked (qemu docs/specs/pvpanic.rst), at port 0x505. */
import type { BusDevice } from '../bus/device.ts'
import type { MachineEvents } from './events.ts'

const PANICKED = 1 << 0
const CRASH_LOADED = 1 << 1

export class Pvpanic implements BusDevice {
  readonly name = 'pvpanic'
  private readonly events: MachineEvents

  constructor(events: MachineEvents) {
    this.events = events
  }

  /** The events it takes. */
  read(): number {
    return PANICKED | CRASH_LOADED
  }

  write(_offset: number, _size: number, value: number): void {
    if (value & PANICKED) this.events.panic('panicked')
    else if (value & CRASH_LOADED) this.events.panic('crash-loaded')
  }
}
