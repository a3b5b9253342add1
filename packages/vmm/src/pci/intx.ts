import type { IrqPin } from '../io/platform.ts'
import type { ConfigSpace } from './config-space.ts'
import { COMMAND } from './registers.ts'

/** One interrupt line that several functions share: asserted while any of them asserts it. */
export class IntxLine {
  private readonly pin: IrqPin
  private asserting = 0

  constructor(pin: IrqPin) {
    this.pin = pin
  }

  add(): void {
    if (this.asserting++ === 0) this.pin.setLevel(true)
  }

  remove(): void {
    if (--this.asserting === 0) this.pin.setLevel(false)
  }
}

/**
 * INTA# of one function (PCI Local Bus 3.0, sections 2.2.6 and 6.2): the status bit shows the function's wish,
 * the line follows it unless the guest set Interrupt Disable.
 */
export class IntxPin {
  private readonly line: IntxLine
  private readonly config: ConfigSpace
  private wanted = false
  private driving = false

  constructor(line: IntxLine, config: ConfigSpace) {
    this.line = line
    this.config = config
  }

  set(asserted: boolean): void {
    if (this.wanted === asserted) return
    this.wanted = asserted
    this.config.setInterruptStatus(asserted)
    this.update()
  }

  /** The command register changed. */
  update(): void {
    const drive = this.wanted && (this.config.command & COMMAND.INTERRUPT_DISABLE) === 0
    if (drive === this.driving) return
    this.driving = drive
    if (drive) this.line.add()
    else this.line.remove()
  }
}
