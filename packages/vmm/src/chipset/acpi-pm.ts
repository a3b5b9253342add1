/**
 * ACPI fixed hardware (ACPI 6.5, 4.8.3): the PM1a event block with the power button, the PM1a control register
 * with power-off. SMI_CMD is 0, so the machine is in ACPI mode from the start and SCI_EN always reads 1. The PM
 * timer beside them is served inline by the vCPU threads.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import { SLEEP_TYPE_S5 } from '../acpi/dsdt.ts'
import type { BusDevice } from '../bus/device.ts'
import type { IrqPin } from '../io/platform.ts'
import type { MachineEvents } from './events.ts'

export const PWRBTN = 1 << 8
/** What may be enabled: timer, global lock, power button, sleep button, clock. Only the power button ever happens, but a driver that reads back less than it wrote complains. */
const ENABLE_MASK = (1 << 0) | (1 << 5) | PWRBTN | (1 << 9) | (1 << 10)
const SCI_EN = 1 << 0
const SLP_TYP_SHIFT = 10
const SLP_EN = 1 << 13

/** Bytes of the PM1a event block and, right behind it, the control register. */
export const PM1_BYTES = 6
const STATUS = 0
const ENABLE = 2
const CONTROL = 4

export class AcpiPm implements BusDevice {
  readonly name = 'acpi-pm'
  private status = 0
  private enable = 0
  private control = SCI_EN
  private readonly sci: IrqPin
  private readonly events: MachineEvents

  constructor(sci: IrqPin, events: MachineEvents) {
    this.sci = sci
    this.events = events
  }

  pressPowerButton(): void {
    this.status |= PWRBTN
    this.updateSci()
  }

  read(offset: number, size: number): number {
    const registers = new DataView(new ArrayBuffer(8))
    registers.setUint16(STATUS, this.status, true)
    registers.setUint16(ENABLE, this.enable, true)
    registers.setUint16(CONTROL, this.control, true)
    if (size === 4) return registers.getUint32(offset, true)
    return size === 2 ? registers.getUint16(offset, true) : registers.getUint8(offset)
  }

  write(offset: number, size: number, value: number): void {
    // A wide write reaches several registers; each takes its own bytes.
    for (let i = 0; i < size; i++) this.writeByte(offset + i, (value >>> (8 * i)) & 0xff)
    this.updateSci()
  }

  private writeByte(offset: number, byte: number): void {
    const shift = 8 * (offset & 1)
    const mask = 0xff << shift
    const bits = byte << shift
    switch (offset & ~1) {
      case STATUS:
        // Write one to clear.
        this.status &= ~bits
        break
      case ENABLE:
        this.enable = ((this.enable & ~mask) | bits) & ENABLE_MASK
        break
      case CONTROL:
        this.control = ((this.control & ~mask) | bits | SCI_EN) & ~SLP_EN
        if (bits & SLP_EN && ((this.control >> SLP_TYP_SHIFT) & 7) === SLEEP_TYPE_S5) this.events.powerOff()
        break
    }
  }

  save(): ChipsetState['acpi-pm'] {
    const { status, enable, control } = this
    return { status, enable, control }
  }

  restore(state: NonNullable<ChipsetState['acpi-pm']>): void {
    this.status = state.status
    this.enable = state.enable & ENABLE_MASK
    this.control = (state.control | SCI_EN) & ~SLP_EN
    this.updateSci()
  }

  private updateSci(): void {
    this.sci.setLevel((this.status & this.enable) !== 0)
  }
}
