import type { LayoutName } from '@hearth/shared/keyboard-layouts'
import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { SinceNow } from '../../vcpu/idleness.ts'
import { type InputDescription, InputDevice, type InputEvent } from './input.ts'
import { keyOfKeysym } from './keysyms.ts'
import { EV, LED } from './protocol.ts'
import { allKeys, keyOfScancode } from './scancodes.ts'

const LEFT_SHIFT = 42
const RIGHT_SHIFT = 54
const LEFT_CTRL = 29
const LEFT_ALT = 56
const RIGHT_ALT = 100

const DESCRIPTION: InputDescription = {
  name: 'Hearth Keyboard',
  product: 1,
  paced: true,
  events: new Map<number, readonly number[]>([
    [EV.KEY, allKeys],
    [EV.REP, []],
    [EV.LED, [LED.NUML, LED.CAPSL, LED.SCROLLL]],
  ]),
}

type Own = Pick<VirtioDeviceState<'keyboard'>, 'down' | 'leds'>

/** Who reads keys as long as the device's driver is not up. */
export interface EarlyKeyboard {
  /** By evdev's code. False: it is lost. */
  key(key: number, down: boolean): boolean
  ledsChanged: (leds: number) => void
}

/** A PC keyboard. Keys come as scancodes, whose meaning is the guest's, or as keysyms through a layout. */
export class Keyboard {
  readonly device: InputDevice
  layout: LayoutName
  /** LEDs as bits by evdev's codes. */
  leds = 0
  /** Keys that viewers hold, and what the driver was told. */
  private readonly held = new Set<number>()
  private readonly told = new Set<number>()
  /** Keysym → the key that was pressed for it: its release must match, whatever the layout says by then. */
  private readonly byKeysym = new Map<number, number>()
  private readonly early: EarlyKeyboard | undefined
  /** Keys that the early keyboard was told of. */
  private readonly toldEarly = new Set<number>()

  constructor(
    layout: LayoutName,
    ledsChanged: (leds: number) => void,
    early?: EarlyKeyboard,
    idleSince?: SinceNow,
  ) {
    this.layout = layout
    this.device = new InputDevice('keyboard', DESCRIPTION, idleSince)
    this.early = early
    this.device.started = () => {
      this.told.clear()
      // Every key reaches the guest once: from here on by the device.
      for (const key of this.toldEarly) early?.key(key, false)
      this.toldEarly.clear()
      this.resync()
    }
    this.device.caughtUp = () => this.resync()
    const show = (leds: number): void => {
      if (leds === this.leds) return
      this.leds = leds
      ledsChanged(leds)
    }
    if (early) {
      early.ledsChanged = (leds) => {
        if (!this.device.hasDriver) show(leds)
      }
    }
    this.device.status = ({ type, code, value }) => {
      if (type !== EV.LED || code > LED.SCROLLL) return
      show(value === 0 ? this.leds & ~(1 << code) : this.leds | (1 << code))
    }
    this.device.saveOwn = (): Own => ({ down: [...this.told], leds: this.leds })
    this.device.restoreOwn = ({ down, leds }: Own) => {
      for (const key of down) this.told.add(key)
      show(leds)
      // Whoever held them is gone: the guest hears that they are up.
      this.resync()
    }
  }

  scancode(scancode: number, down: boolean): void {
    const key = keyOfScancode(scancode)
    if (key !== 0) this.press(key, down)
  }

  keysym(keysym: number, down: boolean): void {
    if (!down) {
      const key = this.byKeysym.get(keysym)
      this.byKeysym.delete(keysym)
      if (key !== undefined) this.press(key, false)
      return
    }
    const found = keyOfKeysym(keysym, this.layout)
    if (found === undefined) return
    const key = typeof found === 'number' ? found : found.key
    this.byKeysym.set(keysym, key)
    // With Ctrl or Alt held a key is meant, not a character: shortcuts keep the modifiers as they are.
    const shortcut = this.held.has(LEFT_CTRL) || this.held.has(LEFT_ALT)
    if (typeof found === 'number' || shortcut) {
      this.press(key, true)
      return
    }
    // The viewer has no Shift to press (a phone, pasted text), or holds one that this layout does not want.
    const changes: [number, boolean][] = []
    for (const shift of [LEFT_SHIFT, RIGHT_SHIFT]) {
      if (!found.shift && this.held.has(shift)) changes.push([shift, false])
    }
    if (found.shift && !this.held.has(LEFT_SHIFT) && !this.held.has(RIGHT_SHIFT))
      changes.push([LEFT_SHIFT, true])
    if (found.altGr !== this.held.has(RIGHT_ALT)) changes.push([RIGHT_ALT, found.altGr])
    for (const [modifier, pressed] of changes) this.press(modifier, pressed)
    this.press(key, true)
    for (const [modifier, pressed] of changes.reverse()) this.press(modifier, !pressed)
  }

  /** Lets every key go. */
  releaseAll(): void {
    this.byKeysym.clear()
    for (const key of [...this.held]) this.press(key, false)
  }

  private press(key: number, down: boolean): void {
    if (down) this.held.add(key)
    else this.held.delete(key)
    if (!this.device.hasDriver) {
      this.pressEarly(key, down)
      return
    }
    if (this.told.has(key) === down || !this.device.send([keyEvent(key, down)])) return
    if (down) this.told.add(key)
    else this.told.delete(key)
  }

  private pressEarly(key: number, down: boolean): void {
    if (this.toldEarly.has(key) === down || !this.early?.key(key, down)) return
    if (down) this.toldEarly.add(key)
    else this.toldEarly.delete(key)
  }

  /** Tells the driver the difference between what it was told and what is so. */
  private resync(): void {
    for (const key of [...this.told]) if (!this.held.has(key)) this.press(key, false)
    for (const key of [...this.held]) if (!this.told.has(key)) this.press(key, true)
  }
}

const keyEvent = (key: number, down: boolean): InputEvent => ({
  type: EV.KEY,
  code: key,
  value: down ? 1 : 0,
})
