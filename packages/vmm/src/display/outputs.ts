/**
 * A guest's screens side by side on one surface, the first at the left: one picture for viewers, and one plane for the
 * tablet, as desktops arrange them by themselves. A screen but the first that shows nothing takes no room.
 */
import { type CursorState, SURFACE_STRIDE, type Surface } from './surface.ts'
import { MAX_WIDTH } from './tiles.ts'

export class Outputs {
  readonly all: readonly Output[]
  /** Whose cursor the surface has: the guest has one pointer, and hides it on the screen that it leaves. */
  cursorOf: Output | undefined
  readonly surface: Surface
  private width = 0
  private height = 0

  constructor(surface: Surface, count: number) {
    this.surface = surface
    this.all = Array.from({ length: count }, (_, index) => new Output(this, index === 0))
  }

  /** Whether the surface is as they need it: the picture before the driver has a size of its own. */
  get isArranged(): boolean {
    return this.surface.width === this.width && this.surface.height === this.height
  }

  /** Gives each its place. */
  arrange(): void {
    const { all, surface } = this
    this.width = this.height = 0
    for (const output of all) {
      output.left = this.width
      this.width = Math.min(this.width + output.width, MAX_WIDTH)
      this.height = Math.max(this.height, output.height)
    }
    surface.resize(this.width, this.height)
    if (all.length === 1) return
    // What lies below a lower one, and where another one was.
    surface.blank()
    for (const output of all) output.moved()
  }
}

/** One of them: what of a `Surface` its scanout needs, in places of its own. */
export class Output {
  left = 0
  width = 0
  height = 0
  /** Its pixels have to be drawn again. */
  moved: () => void = () => {}
  private readonly outputs: Outputs
  private readonly isFirst: boolean

  constructor(outputs: Outputs, isFirst: boolean) {
    this.outputs = outputs
    this.isFirst = isFirst
  }

  get pixels(): Uint32Array {
    return this.outputs.surface.pixels
  }

  /** Columns that the surface has room for. */
  get visibleWidth(): number {
    return Math.min(this.width, MAX_WIDTH - this.left)
  }

  /** Where a pixel lies in `pixels`. */
  at(x: number, y: number): number {
    return y * SURFACE_STRIDE + this.left + x
  }

  resize(width: number, height: number): void {
    if (this.width === width && this.height === height && this.outputs.isArranged) return
    this.width = width
    this.height = height
    this.outputs.arrange()
  }

  /** Shows nothing: black, or gone. */
  blank(): void {
    if (!this.isFirst) {
      this.resize(0, 0)
      return
    }
    for (let y = 0; y < this.height; y++) this.pixels.fill(0, this.at(0, y), this.at(this.visibleWidth, y))
    this.damage(0, 0, this.width, this.height)
  }

  damage(x: number, y: number, width: number, height: number): void {
    this.outputs.surface.damage(this.left + x, y, Math.min(width, this.visibleWidth - x), height)
  }

  setCursor(argb: Uint32Array | null, hotX: number, hotY: number): void {
    const { outputs } = this
    const { surface, cursorOf } = outputs
    const isOthers = cursorOf !== undefined && cursorOf !== this
    if (argb === null && (isOthers || !surface.cursor().visible)) return
    outputs.cursorOf = argb === null ? undefined : this
    surface.setCursor(argb, hotX, hotY)
  }

  moveCursor(x: number, y: number): void {
    const { surface, cursorOf } = this.outputs
    if (cursorOf === undefined || cursorOf === this) surface.moveCursor(this.left + x, y)
  }

  cursor(): CursorState {
    const cursor = this.outputs.surface.cursor()
    return { ...cursor, x: cursor.x - this.left, visible: cursor.visible && this.outputs.cursorOf === this }
  }

  cursorImage(): Uint32Array {
    return this.outputs.surface.cursorImage()
  }
}
