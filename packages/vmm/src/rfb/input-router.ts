/** What a viewer's keys and pointer become. The receiver is the VM's keyboard and tablet, or a test. */
export interface InputSink {
  /** XT set 1, with 0x80 added for an E0 prefix (the QEMU Extended Key Event's keycode). Only changes are told. */
  key(scancode: number, down: boolean): void
  /** A key of a viewer that knows no scancodes. */
  keysym(keysym: number, down: boolean): void
  /** Position in 0…`POINTER_RANGE`; buttons as in `BUTTON`. */
  pointer(x: number, y: number, buttons: number): void
  /** Clicks of the wheel: up and right are positive. */
  wheel(vertical: number, horizontal: number): void
}

export const POINTER_RANGE = 32767
export const BUTTON = { LEFT: 1, MIDDLE: 2, RIGHT: 4, BACK: 8, FORWARD: 16 } as const

/** RFC 6143, 7.5.5, with buttons 8 and 9 of ExtendedMouseButtons. */
const MASK = { UP: 8, DOWN: 16, LEFT: 32, RIGHT: 64, BACK: 128, FORWARD: 256 } as const

interface Held {
  readonly keys: Set<string>
  mask: number
}

/**
 * Brings the input of several viewers together: a key is down while any of them holds it, and what a viewer held
 * is let go when it leaves or loses the right to type.
 */
export class InputRouter<Viewer> {
  private readonly sink: InputSink
  private readonly held = new Map<Viewer, Held>()
  /** The viewer that last moved the pointer. */
  lastPointer: Viewer | null = null
  private x = 0
  private y = 0
  private buttons = 0

  constructor(sink: InputSink) {
    this.sink = sink
  }

  /** `scancode` 0 stands for unknown. */
  key(viewer: Viewer, scancode: number, keysym: number, down: boolean): void {
    const id = scancode === 0 ? `s${keysym}` : `c${scancode}`
    const { keys } = this.of(viewer)
    // Repeats are the guest's own business (EV_REP), and a release without a press is none.
    if (keys.has(id) === down) return
    const before = this.isHeld(id)
    if (down) keys.add(id)
    else keys.delete(id)
    if (this.isHeld(id) !== before) this.tell(id, down)
  }

  /** `x` and `y` are pixels of a picture of `width` × `height`. */
  pointer(viewer: Viewer, x: number, y: number, width: number, height: number, mask: number): void {
    const held = this.of(viewer)
    const pressed = mask & ~held.mask
    held.mask = mask
    this.lastPointer = viewer
    this.x = scale(x, width)
    this.y = scale(y, height)
    this.tellPointer()
    const vertical = (pressed & MASK.UP ? 1 : 0) - (pressed & MASK.DOWN ? 1 : 0)
    const horizontal = (pressed & MASK.RIGHT ? 1 : 0) - (pressed & MASK.LEFT ? 1 : 0)
    if (vertical !== 0 || horizontal !== 0) this.sink.wheel(vertical, horizontal)
  }

  /** Lets go of everything the viewer holds. */
  release(viewer: Viewer): void {
    const held = this.held.get(viewer)
    if (held === undefined) return
    this.held.delete(viewer)
    if (this.lastPointer === viewer) this.lastPointer = null
    for (const id of held.keys) if (!this.isHeld(id)) this.tell(id, false)
    if (held.mask !== 0) this.tellPointer()
  }

  private of(viewer: Viewer): Held {
    let held = this.held.get(viewer)
    if (held === undefined) {
      held = { keys: new Set(), mask: 0 }
      this.held.set(viewer, held)
    }
    return held
  }

  private isHeld(id: string): boolean {
    for (const held of this.held.values()) if (held.keys.has(id)) return true
    return false
  }

  private tell(id: string, down: boolean): void {
    const code = Number(id.slice(1))
    if (id.startsWith('c')) this.sink.key(code, down)
    else this.sink.keysym(code, down)
  }

  private tellPointer(): void {
    let mask = 0
    for (const held of this.held.values()) mask |= held.mask
    this.buttons =
      (mask & 7) | (mask & MASK.BACK ? BUTTON.BACK : 0) | (mask & MASK.FORWARD ? BUTTON.FORWARD : 0)
    this.sink.pointer(this.x, this.y, this.buttons)
  }
}

function scale(position: number, size: number): number {
  if (size <= 1) return 0
  return Math.round((Math.min(position, size - 1) * POINTER_RANGE) / (size - 1))
}
