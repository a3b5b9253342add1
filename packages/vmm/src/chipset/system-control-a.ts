/** System control port A, 0x92: the fast way to open address line 20, and to reset. The line is always open here. */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { MachineEvents } from './events.ts'

const FAST_RESET = 1 << 0
const A20 = 1 << 1

export class SystemControlA implements BusDevice {
  readonly name = 'system-control-a'
  private readonly events: MachineEvents
  private value = A20

  constructor(events: MachineEvents) {
    this.events = events
  }

  read(): number {
    return this.value
  }

  write(_offset: number, _size: number, written: number): void {
    const rising = (written & ~this.value & FAST_RESET) !== 0
    this.value = (written & 0xff) | A20
    if (rising) this.events.reset('system control port')
  }

  save(): ChipsetState['system-control-a'] {
    return { value: this.value }
  }

  restore(state: NonNullable<ChipsetState['system-control-a']>): void {
    this.value = state.value | A20
  }
}
