/**
 * The keyboard controller at ports 0x60 and 0x64, without keyboard: what is left of it is the reset line, which
 * operating systems pull when ACPI does not answer.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { MachineEvents } from './events.ts'

const PULSE_RESET = 0xfe
const WRITE_OUTPUT_PORT = 0xd1
/** Bit 0 of the output port is the reset line, active low. */
const NOT_RESET = 1

export class I8042Data implements BusDevice {
  readonly name = 'i8042-data'
  private readonly controller: I8042Command

  constructor(controller: I8042Command) {
    this.controller = controller
  }

  read(): number {
    return 0
  }

  write(_offset: number, _size: number, value: number): void {
    this.controller.data(value & 0xff)
  }
}

export class I8042Command implements BusDevice {
  readonly name = 'i8042'
  private readonly events: MachineEvents
  private outputPortNext = false

  constructor(events: MachineEvents) {
    this.events = events
  }

  /** Status: no output, no input pending, so that a driver neither waits nor finds a device. */
  read(): number {
    return 0
  }

  write(_offset: number, _size: number, value: number): void {
    const command = value & 0xff
    this.outputPortNext = command === WRITE_OUTPUT_PORT
    if (command === PULSE_RESET) this.events.reset('keyboard controller')
  }

  data(value: number): void {
    if (this.outputPortNext && !(value & NOT_RESET)) this.events.reset('keyboard controller')
    this.outputPortNext = false
  }
  save(): ChipsetState['i8042'] {
    return { outputPortNext: this.outputPortNext }
  }

  restore(state: NonNullable<ChipsetState['i8042']>): void {
    this.outputPortNext = state.outputPortNext
  }
}
