/** The general-purpose event block GPE0 (ACPI 6.5, 4.8.4.1): a status and an enable bit for each event, told by the SCI. */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { IrqPin } from '../io/platform.ts'

/** Two bytes of status, then two of enable bits: what the FADT says as GPE0_BLK_LEN. */
export const GPE_BYTES = 4
const STATUS_BYTES = GPE_BYTES / 2
/** Each event has a method `\_GPE._E0n` in the DSDT: edge-triggered, so the operating system clears it first. */
export const GPE_EVENT = { generationId: 0 } as const
const KNOWN = 1 << GPE_EVENT.generationId

export class GpeBlock implements BusDevice {
  readonly name = 'gpe'
  private status = 0
  private enable = 0
  private readonly sci: IrqPin

  constructor(sci: IrqPin) {
    this.sci = sci
  }

  raise(event: number): void {
    this.status |= 1 << event
    this.updateSci()
  }

  read(offset: number, size: number): number {
    let value = 0
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.readByte(offset + i)
    return value
  }

  write(offset: number, size: number, value: number): void {
    for (let i = 0; i < size; i++) this.writeByte(offset + i, (value >>> (8 * i)) & 0xff)
    this.updateSci()
  }

  save(): ChipsetState['gpe'] {
    const { status, enable } = this
    return { status, enable }
  }

  restore(state: NonNullable<ChipsetState['gpe']>): void {
    this.status = state.status & KNOWN
    this.enable = state.enable & KNOWN
    this.updateSci()
  }

  private readByte(at: number): number {
    const register = at < STATUS_BYTES ? this.status : this.enable
    return (register >> (8 * (at % STATUS_BYTES))) & 0xff
  }

  private writeByte(at: number, byte: number): void {
    const shift = 8 * (at % STATUS_BYTES)
    const bits = byte << shift
    // Status bits are cleared by writing ones (4.8.4.1.1.1).
    if (at < STATUS_BYTES) this.status &= ~bits
    else this.enable = ((this.enable & ~(0xff << shift)) | bits) & KNOWN
  }

  private updateSci(): void {
    this.sci.setLevel((this.status & this.enable) !== 0)
  }
}

/** So many pins that are one line: it is high while any of them is. */
export function sharedPin(line: IrqPin, count: number): IrqPin[] {
  const levels = new Array<boolean>(count).fill(false)
  return levels.map((_, index) => ({
    setLevel(asserted) {
      levels[index] = asserted
      line.setLevel(levels.includes(true))
    },
  }))
}
