/** The reset control register at port 0xCF9 (PIIX3, ICH): bit 2 pulls reset when it goes from 0 to 1. The FADT names it as the reset register. */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { MachineEvents } from './events.ts'

const RESET_CPU = 1 << 2
const KEPT = 0x0a

export class ResetControl implements BusDevice {
  readonly name = 'reset-control'
  private readonly events: MachineEvents
  private value = 0

  constructor(events: MachineEvents) {
    this.events = events
  }

  read(): number {
    return this.value
  }

  write(_offset: number, _size: number, value: number): void {
    const rising = (value & RESET_CPU) !== 0 && (this.value & RESET_CPU) === 0
    this.value = value & KEPT
    if (rising) this.events.reset('reset register')
  }
  save(): ChipsetState['reset-control'] {
    return { value: this.value }
  }

  restore(state: NonNullable<ChipsetState['reset-control']>): void {
    this.value = state.value & KEPT
  }
}
