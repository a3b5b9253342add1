/**
 * The keyboard controller at ports 0x60 and 0x64. Without a keyboard, where there is no display, what is left of it is
 * the reset line, which operating systems pull when ACPI does not answer.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { IrqPin } from '../io/platform.ts'
import type { MachineEvents } from './events.ts'
import type { Ps2Keyboard } from './ps2-keyboard.ts'
import { translate } from './ps2-keys.ts'

const COMMAND = {
  readConfig: 0x20,
  writeConfig: 0x60,
  disableAux: 0xa7,
  enableAux: 0xa8,
  testAux: 0xa9,
  selfTest: 0xaa,
  testKeyboard: 0xab,
  disableKeyboard: 0xad,
  enableKeyboard: 0xae,
  readInputPort: 0xc0,
  readOutputPort: 0xd0,
  writeOutputPort: 0xd1,
  writeKeyboardBuffer: 0xd2,
  writeAuxBuffer: 0xd3,
  writeAux: 0xd4,
  pulseReset: 0xfe,
} as const
const STATUS = { outputFull: 1, system: 4, lastWasCommand: 8, unlocked: 16 } as const
const CONFIG = { interrupt: 1, system: 4, disabled: 16, translate: 64 } as const
const SELF_TEST_PASSED = 0x55
/** There is no second port for a mouse. */
const AUX_CLOCK_LOW = 1
/** Bit 0 of the output port is the reset line, active low; bit 1 the A20 gate, which is always open. */
const NOT_RESET = 1
const OUTPUT_PORT = 3
const RELEASED = 0xf0

/** What a display's machine has beside the reset line. */
export interface KeyboardPort {
  readonly keyboard: Ps2Keyboard
  readonly line: IrqPin
}

export class I8042Data implements BusDevice {
  readonly name = 'i8042-data'
  private readonly controller: I8042Command

  constructor(controller: I8042Command) {
    this.controller = controller
  }

  read(): number {
    return this.controller.takeData()
  }

  write(_offset: number, _size: number, value: number): void {
    this.controller.data(value & 0xff)
  }
}

export class I8042Command implements BusDevice {
  readonly name = 'i8042'
  private readonly events: MachineEvents
  private readonly port: KeyboardPort | undefined
  /** A command whose argument comes to the data port; 0: none. */
  private pending = 0
  private config: number = CONFIG.system | CONFIG.translate | CONFIG.disabled
  private lastWasCommand = false
  /** The output buffer; it keeps its byte after that was read. */
  private output = 0
  private full = false
  /** The keyboard said that the next code is a release. */
  private released = false

  constructor(events: MachineEvents, port?: KeyboardPort) {
    this.events = events
    this.port = port
    if (port) port.keyboard.filled = () => this.fill()
  }

  /** Without a keyboard: no output, no input pending, so that a driver neither waits nor finds a device. */
  read(): number {
    if (this.port === undefined) return 0
    return (
      STATUS.unlocked |
      (this.full ? STATUS.outputFull : 0) |
      (this.config & CONFIG.system ? STATUS.system : 0) |
      (this.lastWasCommand ? STATUS.lastWasCommand : 0)
    )
  }

  write(_offset: number, _size: number, value: number): void {
    const command = value & 0xff
    this.pending = 0
    this.lastWasCommand = true
    if (command === COMMAND.pulseReset) this.events.reset('keyboard controller')
    else if (command === COMMAND.writeOutputPort) this.pending = command
    else if (this.port !== undefined) this.execute(command)
  }

  /** The data port is written. */
  data(value: number): void {
    const { pending, port } = this
    this.pending = 0
    this.lastWasCommand = false
    if (pending === COMMAND.writeOutputPort) {
      if (!(value & NOT_RESET)) this.events.reset('keyboard controller')
    } else if (port === undefined) return
    else if (pending === COMMAND.writeConfig) this.setConfig(value)
    else if (pending === COMMAND.writeKeyboardBuffer || pending === COMMAND.writeAuxBuffer) this.put(value)
    else if (pending === 0) {
      // Whoever talks to the keyboard wants its answer.
      this.config &= ~CONFIG.disabled
      port.keyboard.write(value)
    }
  }

  /** The data port is read. */
  takeData(): number {
    if (this.port === undefined) return 0
    this.full = false
    this.port.line.setLevel(false)
    const { output } = this
    this.fill()
    return output
  }

  save(): ChipsetState['i8042'] {
    const { pending, config, lastWasCommand, output, full, released, port } = this
    return {
      outputPortNext: pending === COMMAND.writeOutputPort,
      ...(port && { controller: { pending, config, lastWasCommand, output, full, released } }),
      ...(port && { keyboard: port.keyboard.save() }),
    }
  }

  restore({ outputPortNext, controller, keyboard }: NonNullable<ChipsetState['i8042']>): void {
    if (outputPortNext) this.pending = COMMAND.writeOutputPort
    // A snapshot of before there was a keyboard: its guest knows of none.
    if (this.port === undefined || controller === undefined || keyboard === undefined) return
    Object.assign(this, controller)
    this.port.keyboard.restore(keyboard)
    // The line's level is of the interrupt chips' state.
    this.fill()
  }

  private execute(command: number): void {
    switch (command) {
      case COMMAND.readConfig:
        this.put(this.config)
        break
      case COMMAND.selfTest:
        this.config |= CONFIG.system
        this.put(SELF_TEST_PASSED)
        break
      case COMMAND.testKeyboard:
        this.put(0)
        break
      case COMMAND.testAux:
        this.put(AUX_CLOCK_LOW)
        break
      case COMMAND.disableKeyboard:
        this.setConfig(this.config | CONFIG.disabled)
        break
      case COMMAND.enableKeyboard:
        this.setConfig(this.config & ~CONFIG.disabled)
        break
      case COMMAND.readInputPort:
        this.put(0x80)
        break
      case COMMAND.readOutputPort:
        this.put(OUTPUT_PORT)
        break
      case COMMAND.writeConfig:
      case COMMAND.writeKeyboardBuffer:
      case COMMAND.writeAuxBuffer:
      case COMMAND.writeAux:
        this.pending = command
    }
  }

  private setConfig(config: number): void {
    this.config = config
    this.raise()
    this.fill()
  }

  /** The controller's own answer, before whatever the keyboard has. */
  private put(value: number): void {
    this.output = value
    this.full = true
    this.raise()
  }

  /** Takes the keyboard's next byte when there is room for it. */
  private fill(): void {
    const { port } = this
    if (port === undefined) return
    while (!this.full && (this.config & CONFIG.disabled) === 0) {
      const byte = port.keyboard.take()
      if (byte === undefined) return
      if ((this.config & CONFIG.translate) === 0) this.put(byte)
      else if (byte === RELEASED) this.released = true
      else {
        this.put(translate(byte) | (this.released ? 0x80 : 0))
        this.released = false
      }
    }
  }

  /** A new byte is a new edge: the line falls when one is read. */
  private raise(): void {
    this.port?.line.setLevel(this.full && (this.config & CONFIG.interrupt) !== 0)
  }
}
