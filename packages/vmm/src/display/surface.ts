import { BITMAP_WORDS, clip, MAX_HEIGHT, MAX_WIDTH, ROW_WORDS, TILE, wordMask } from './tiles.ts'

/**
 * The picture a guest shows, shared between the thread that owns the display device (the only writer) and the
 * display thread (the only reader). Plain numbers and SharedArrayBuffers: it is handed to a worker as it is.
 *
 * Pixels are 0xXXRRGGBB, rows `MAX_WIDTH` apart, so a change of size never moves a pixel that stays. Memory is
 * reserved for the largest picture and costs only what was ever drawn.
 *
 * Order: the writer stores pixels, then sets damage bits; the reader takes the bits, then reads pixels. A reader
 * that catches half a drawing finds its tiles damaged again afterwards, so what a viewer ends with is right.
 */
export interface SurfaceMemory {
  readonly control: SharedArrayBuffer
  readonly pixels: SharedArrayBuffer
  readonly cursor: SharedArrayBuffer
}

/** Words of `control`. */
const SIGNAL = 0
const WIDTH = 1
const HEIGHT = 2
/** Grows with every change of size; the size is read between two equal readings of it. */
const GEOMETRY = 3
const CURSOR_IMAGE = 4
const CURSOR_X = 5
const CURSOR_Y = 6
const CURSOR_HOT_X = 7
const CURSOR_HOT_Y = 8
const CURSOR_VISIBLE = 9
const CURSOR_MOVES = 10
/** Keyboard LEDs as the guest set them: bit 0 Num Lock, 1 Caps Lock, 2 Scroll Lock (evdev's LED codes). */
const LEDS = 11
/** The size a viewer wishes for: width × 65536 + height, 0 for none. */
const WISH = 12
/** The last wish that was taken, in the same way. */
const LAST_WISH = 13
const DAMAGE = 16
const CONTROL_WORDS = DAMAGE + BITMAP_WORDS

/** VIRTIO 1.2, 5.7.6.10: a cursor is always 64 × 64. */
export const CURSOR_SIZE = 64

export interface SurfaceSize {
  readonly width: number
  readonly height: number
  /** Tells one size from the same size set again later. */
  readonly geometry: number
}

/** What the device last said about its hardware cursor. */
export interface CursorState {
  readonly visible: boolean
  readonly x: number
  readonly y: number
  readonly hotX: number
  readonly hotY: number
  /** Changes with the image, its hot spot or its visibility. */
  readonly image: number
  /** Changes with every move. */
  readonly moves: number
}

export function createSurfaceMemory(): SurfaceMemory {
  return {
    control: new SharedArrayBuffer(CONTROL_WORDS * 4),
    pixels: new SharedArrayBuffer(MAX_WIDTH * MAX_HEIGHT * 4),
    cursor: new SharedArrayBuffer(CURSOR_SIZE * CURSOR_SIZE * 4),
  }
}

/** Pixels from one row of a surface to the next. */
export const SURFACE_STRIDE = MAX_WIDTH

export class Surface {
  readonly memory: SurfaceMemory
  readonly pixels: Uint32Array
  private readonly control: Int32Array
  private readonly cursorPixels: Uint32Array

  constructor(memory: SurfaceMemory) {
    this.memory = memory
    this.pixels = new Uint32Array(memory.pixels)
    this.control = new Int32Array(memory.control)
    this.cursorPixels = new Uint32Array(memory.cursor)
  }

  /* The device's side. */

  /** Shows a picture of this size, black until drawn; 0 × 0 shows nothing. Sizes above the maximum throw. */
  resize(width: number, height: number): void {
    if (!(width >= 0 && width <= MAX_WIDTH && height >= 0 && height <= MAX_HEIGHT)) {
      throw new RangeError(`no surface of ${width} × ${height}`)
    }
    Atomics.add(this.control, GEOMETRY, 1)
    Atomics.store(this.control, WIDTH, width)
    Atomics.store(this.control, HEIGHT, height)
    Atomics.add(this.control, GEOMETRY, 1)
    this.damage(0, 0, width, height)
  }

  /** Paints the whole picture black. */
  blank(): void {
    const { width, height } = this
    for (let row = 0; row < height; row++) {
      this.pixels.fill(0, row * SURFACE_STRIDE, row * SURFACE_STRIDE + width)
    }
    this.damage(0, 0, width, height)
  }

  get width(): number {
    return Atomics.load(this.control, WIDTH)
  }

  get height(): number {
    return Atomics.load(this.control, HEIGHT)
  }

  /** Tells the reader that this rectangle was drawn. Parts outside the picture are ignored. */
  damage(x: number, y: number, width: number, height: number): void {
    const inside = clip({ x, y, width, height }, this.width, this.height)
    if (inside !== null) {
      const first = Math.floor(inside.x / TILE)
      const last = Math.floor((inside.x + inside.width - 1) / TILE)
      const bottom = Math.floor((inside.y + inside.height - 1) / TILE)
      for (let row = Math.floor(inside.y / TILE); row <= bottom; row++) {
        for (let word = first >>> 5; word <= last >>> 5; word++) {
          Atomics.or(this.control, DAMAGE + row * ROW_WORDS + word, wordMask(word, first, last))
        }
      }
    }
    this.signal()
  }

  /** `argb` are 64 × 64 pixels 0xAARRGGBB, colour premultiplied by alpha as KMS hands them on; null hides. */
  setCursor(argb: Uint32Array | null, hotX: number, hotY: number): void {
    if (argb !== null) this.cursorPixels.set(argb)
    Atomics.store(this.control, CURSOR_VISIBLE, argb === null ? 0 : 1)
    Atomics.store(this.control, CURSOR_HOT_X, hotX)
    Atomics.store(this.control, CURSOR_HOT_Y, hotY)
    Atomics.add(this.control, CURSOR_IMAGE, 1)
    this.signal()
  }

  moveCursor(x: number, y: number): void {
    Atomics.store(this.control, CURSOR_X, x)
    Atomics.store(this.control, CURSOR_Y, y)
    Atomics.add(this.control, CURSOR_MOVES, 1)
    this.signal()
  }

  setLeds(leds: number): void {
    Atomics.store(this.control, LEDS, leds)
    this.signal()
  }

  /** The size a viewer wishes for since the last call, or null. */
  takeWish(): { width: number; height: number } | null {
    const wish = Atomics.exchange(this.control, WISH, 0)
    if (wish !== 0) Atomics.store(this.control, LAST_WISH, wish)
    return sizeOf(wish)
  }

  /** The size that a viewer wished for last, of this machine or of the one before its reset; null when none did. */
  get lastWish(): { width: number; height: number } | null {
    return sizeOf(Atomics.load(this.control, LAST_WISH))
  }

  /* The display thread's side. */

  /** The size, or null while the writer is just changing it (the signal comes again). */
  size(): SurfaceSize | null {
    const geometry = Atomics.load(this.control, GEOMETRY)
    if ((geometry & 1) !== 0) return null
    const size = { width: this.width, height: this.height, geometry }
    return Atomics.load(this.control, GEOMETRY) === geometry ? size : null
  }

  /** Moves the damage bits into `into` (a bitmap of the whole grid) and clears them; true when there were any. */
  takeDamage(into: Uint32Array): boolean {
    let any = false
    for (let i = 0; i < BITMAP_WORDS; i++) {
      // A plain read first: most words are zero and an exchange is a locked instruction.
      if (this.control[DAMAGE + i] === 0) continue
      into[i]! |= Atomics.exchange(this.control, DAMAGE + i, 0)
      any = true
    }
    return any
  }

  cursor(): CursorState {
    const image = Atomics.load(this.control, CURSOR_IMAGE)
    const moves = Atomics.load(this.control, CURSOR_MOVES)
    return {
      visible: Atomics.load(this.control, CURSOR_VISIBLE) !== 0,
      x: Atomics.load(this.control, CURSOR_X),
      y: Atomics.load(this.control, CURSOR_Y),
      hotX: Atomics.load(this.control, CURSOR_HOT_X),
      hotY: Atomics.load(this.control, CURSOR_HOT_Y),
      image,
      moves,
    }
  }

  /** A copy of the cursor's pixels, 64 × 64, 0xAARRGGBB premultiplied. */
  cursorImage(): Uint32Array {
    return this.cursorPixels.slice()
  }

  get leds(): number {
    return Atomics.load(this.control, LEDS)
  }

  setWish(width: number, height: number): void {
    Atomics.store(this.control, WISH, (width << 16) | height)
  }

  /** Calls `wake` once when something changed after now or since the last call; call again for the next time. */
  onSignal(seen: number, wake: () => void): void {
    const wait = Atomics.waitAsync(this.control, SIGNAL, seen)
    if (wait.async) wait.value.then(wake)
    else wake()
  }

  get signalled(): number {
    return Atomics.load(this.control, SIGNAL)
  }

  private signal(): void {
    Atomics.add(this.control, SIGNAL, 1)
    Atomics.notify(this.control, SIGNAL)
  }
}

const sizeOf = (wish: number): { width: number; height: number } | null =>
  wish === 0 ? null : { width: wish >>> 16, height: wish & 0xffff }
