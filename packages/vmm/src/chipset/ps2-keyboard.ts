/**
 * A PS/2 keyboard as the keyboard controller sees it: bytes of scan code set 2, and the commands that firmware, boot
 * loaders and Linux's atkbd send. The key that was pressed last is repeated while it is held, as such a keyboard does.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { EventLoop, Registration } from '../io/event-loop.ts'
import { bytesOfKey } from './ps2-keys.ts'

const ACK = 0xfa
const RESEND = 0xfe
const SELF_TEST_PASSED = 0xaa
const COMMAND = {
  setLeds: 0xed,
  echo: 0xee,
  scanCodeSet: 0xf0,
  identify: 0xf2,
  setRepeat: 0xf3,
  enable: 0xf4,
  disable: 0xf5,
  defaults: 0xf6,
  resend: 0xfe,
  reset: 0xff,
} as const
/** An MF2 keyboard. */
const IDENTITY = [0xab, 0x83] as const
const SCAN_CODE_SET = 2
/** A person's typing before a guest that does not look; what is more is lost, whole keys of it. */
const MAX_WAITING = 256
/** Half a second, then 10.9 a second. */
const DEFAULT_REPEAT = 0x2b
/** Said once, with its own release. */
const KEY_PAUSE = 119
/** A real one's LED bits, and evdev's. */
const LEDS = [
  { bit: 1, led: 2 },
  { bit: 2, led: 4 },
  { bit: 4, led: 1 },
] as const

export type Ps2KeyboardState = NonNullable<NonNullable<ChipsetState['i8042']>['keyboard']>

export class Ps2Keyboard {
  /** There may be a byte to take. */
  filled: () => void = () => {}
  /** LEDs as bits by evdev's codes. */
  ledsChanged: (leds: number) => void = () => {}
  private waiting: number[] = []
  private enabled = true
  /** A command whose argument comes next; 0: none. */
  private command = 0
  private last = ACK
  private repeat = DEFAULT_REPEAT
  private held = 0
  private timer: Registration | undefined
  private readonly after: EventLoop['after'] | undefined

  /** Without a timer a key that is held is said once. */
  constructor(after?: EventLoop['after']) {
    this.after = after
  }

  /** A key by its evdev code. False: nobody reads this keyboard, or not fast enough. */
  key(key: number, down: boolean): boolean {
    const bytes = bytesOfKey(key, down)
    if (!this.enabled || this.waiting.length + bytes.length > MAX_WAITING) return false
    this.waiting.push(...bytes)
    this.filled()
    if (down && key !== KEY_PAUSE && bytes.length > 0) this.hold(key, delayMs(this.repeat))
    else if (key === this.held) this.letGo()
    return true
  }

  /** The next byte for the controller; undefined when there is none. */
  take(): number | undefined {
    return this.waiting.shift()
  }

  /** A byte from the driver. */
  write(value: number): void {
    const { command } = this
    this.command = 0
    if (command !== 0 && value < COMMAND.setLeds) this.argument(command, value)
    else this.execute(value)
    this.filled()
  }

  save(): Ps2KeyboardState {
    const { waiting, enabled, command, last, repeat } = this
    return { waiting: [...waiting], enabled, command, last, repeat }
  }

  restore({ waiting, enabled, command, last, repeat = DEFAULT_REPEAT }: Ps2KeyboardState): void {
    this.letGo()
    this.repeat = repeat
    this.waiting = [...waiting]
    this.enabled = enabled
    this.command = command
    this.last = last
  }

  private execute(value: number): void {
    switch (value) {
      case COMMAND.setLeds:
      case COMMAND.scanCodeSet:
      case COMMAND.setRepeat:
        this.command = value
        this.answer(ACK)
        break
      case COMMAND.echo:
        this.answer(COMMAND.echo)
        break
      case COMMAND.identify:
        this.answer(ACK, ...IDENTITY)
        break
      case COMMAND.enable:
        this.start(true)
        this.answer(ACK)
        break
      case COMMAND.disable:
        this.start(false)
        this.answer(ACK)
        break
      case COMMAND.defaults:
        this.repeat = DEFAULT_REPEAT
        this.start(true)
        this.answer(ACK)
        break
      case COMMAND.resend:
        this.answer(this.last)
        break
      case COMMAND.reset:
        this.repeat = DEFAULT_REPEAT
        this.start(true)
        this.answer(ACK, SELF_TEST_PASSED)
        break
      default:
        this.answer(RESEND)
    }
  }

  private argument(command: number, value: number): void {
    if (command === COMMAND.scanCodeSet) {
      if (value === 0) this.answer(ACK, SCAN_CODE_SET)
      else this.answer(value === SCAN_CODE_SET ? ACK : RESEND)
      return
    }
    if (command === COMMAND.setRepeat) this.repeat = value & 0x7f
    if (command === COMMAND.setLeds) {
      this.ledsChanged(LEDS.reduce((leds, { bit, led }) => leds | ((value & led) !== 0 ? bit : 0), 0))
    }
    this.answer(ACK)
  }

  /** What was typed before is nobody's. */
  private start(enabled: boolean): void {
    this.enabled = enabled
    this.waiting = []
    this.letGo()
  }

  private hold(key: number, ms: number): void {
    this.letGo()
    this.held = key
    this.timer = this.after?.(ms, () => {
      // A guest that does not look is spared: it would get all of them at once.
      if (this.waiting.length === 0) {
        this.waiting.push(...bytesOfKey(key, true))
        this.filled()
      }
      this.hold(key, periodMs(this.repeat))
    })
  }

  private letGo(): void {
    this.timer?.remove()
    this.timer = undefined
    this.held = 0
  }

  private answer(...bytes: readonly number[]): void {
    this.last = bytes.at(-1)!
    // A driver that sends commands and reads nothing fills no more than this.
    if (this.waiting.length + bytes.length <= MAX_WAITING + 16) this.waiting.push(...bytes)
  }
}

/** The argument of `setRepeat`: delay in bits 5 and 6, period in the others. */
const delayMs = (repeat: number): number => 250 * (((repeat >> 5) & 3) + 1)
const periodMs = (repeat: number): number => (8 + (repeat & 7)) * 2 ** ((repeat >> 3) & 3) * 4.17
