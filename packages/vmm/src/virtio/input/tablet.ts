import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import { InputDevice, type InputEvent } from './input.ts'
import { ABS, BTN, EV, REL } from './protocol.ts'

/** Positions run from 0 to this on both axes. */
const TABLET_RANGE = 32767

/** Buttons as bits, and the evdev code of each. */
const TABLET_BUTTON = { LEFT: 1, MIDDLE: 2, RIGHT: 4, BACK: 8, FORWARD: 16 } as const
const CODES: readonly (readonly [number, number])[] = [
  [TABLET_BUTTON.LEFT, BTN.LEFT],
  [TABLET_BUTTON.MIDDLE, BTN.MIDDLE],
  [TABLET_BUTTON.RIGHT, BTN.RIGHT],
  [TABLET_BUTTON.BACK, BTN.SIDE],
  [TABLET_BUTTON.FORWARD, BTN.EXTRA],
]

type Own = Pick<VirtioDeviceState<'tablet'>, 'x' | 'y' | 'buttons'>

/** An absolute pointer with a wheel: the guest's pointer is where the viewer's hand is. */
export class Tablet {
  readonly device = new InputDevice('tablet', {
    name: 'Hearth Tablet',
    product: 2,
    events: new Map<number, readonly number[]>([
      [EV.KEY, Object.values(BTN)],
      [EV.REL, [REL.WHEEL, REL.HWHEEL]],
      [EV.ABS, [ABS.X, ABS.Y]],
    ]),
    axes: new Map<number, number>([
      [ABS.X, TABLET_RANGE],
      [ABS.Y, TABLET_RANGE],
    ]),
  })
  /** Nowhere until a viewer points: a guest that goes on from a snapshot must not see its pointer jump. */
  private x = -1
  private y = -1
  private buttons = 0
  /** What the driver was told; -1 for nothing. */
  private toldX = -1
  private toldY = -1
  private toldButtons = 0

  constructor() {
    this.device.started = () => {
      this.toldX = -1
      this.toldY = -1
      this.toldButtons = 0
      this.tell()
    }
    this.device.caughtUp = () => this.tell()
    this.device.saveOwn = (): Own => ({ x: this.toldX, y: this.toldY, buttons: this.toldButtons })
    this.device.restoreOwn = ({ x, y, buttons }: Own) => {
      this.x = this.toldX = x
      this.y = this.toldY = y
      this.toldButtons = buttons
      // Nobody holds a button by now.
      this.tell()
    }
  }

  move(x: number, y: number, buttons: number): void {
    this.x = Math.min(Math.max(Math.round(x), 0), TABLET_RANGE)
    this.y = Math.min(Math.max(Math.round(y), 0), TABLET_RANGE)
    this.buttons = buttons
    this.tell()
  }

  releaseAll(): void {
    this.buttons = 0
    this.tell()
  }

  /** Clicks of the wheel: up and right are positive. */
  wheel(vertical: number, horizontal: number): void {
    const group: InputEvent[] = []
    if (vertical !== 0) group.push({ type: EV.REL, code: REL.WHEEL, value: vertical })
    if (horizontal !== 0) group.push({ type: EV.REL, code: REL.HWHEEL, value: horizontal })
    this.device.send(group)
  }

  /** Position before buttons: a click belongs where the pointer now is. */
  private tell(): void {
    const group: InputEvent[] = []
    if (this.x !== this.toldX) group.push({ type: EV.ABS, code: ABS.X, value: this.x })
    if (this.y !== this.toldY) group.push({ type: EV.ABS, code: ABS.Y, value: this.y })
    for (const [bit, code] of CODES) {
      const down = (this.buttons & bit) !== 0
      if (down !== ((this.toldButtons & bit) !== 0)) group.push({ type: EV.KEY, code, value: down ? 1 : 0 })
    }
    if (!this.device.send(group)) return
    this.toldX = this.x
    this.toldY = this.y
    this.toldButtons = this.buttons
  }
}
