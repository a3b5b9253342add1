import type { Picture } from '../display/picture.ts'
import type { CursorState } from '../display/surface.ts'
import { type CursorShape, cursorEncoding, writeCursor } from './cursor-shape.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { PixelFormat } from './pixel-format.ts'
import { PSEUDO, RESIZE_REASON, RESIZE_STATUS } from './protocol.ts'

/** What there is to tell beside pixels. */
export interface ScreenNews {
  readonly cursor: CursorState
  readonly shape: CursorShape
  /** Bits by evdev's LED codes. */
  readonly leds: number
  readonly name: string
  /** Whether the pointer's moves are this viewer's own: telling it would fight with its hand. */
  readonly steersPointer: boolean
}

/** Said once to a viewer that lists it, by a rectangle of no size. */
const ANNOUNCED = [
  PSEUDO.QEMU_EXTENDED_KEY_EVENT,
  PSEUDO.EXTENDED_MOUSE_BUTTONS,
  PSEUDO.EXTENDED_DESKTOP_SIZE,
] as const
/** Requests for a size that were not answered yet; a viewer that floods loses the oldest. */
const MAX_ANSWERS = 16

/** What one viewer was told about the screen that is not its pixels, and the pseudo-rectangles for the rest. */
export class ScreenState {
  /** The size the viewer's own buffer has. */
  width = 0
  height = 0
  private listed: ReadonlySet<number> = new Set()
  private readonly announcements = new Set<number>()
  private readonly announced = new Set<number>()
  private resizeAnswers: number[] = []
  private name: string
  private cursorImage = -1
  private cursorMoves = 0
  private leds = -1

  constructor(name: string) {
    this.name = name
  }

  setEncodings(listed: ReadonlySet<number>): void {
    this.listed = listed
    for (const encoding of ANNOUNCED) if (this.first(encoding)) this.announcements.add(encoding)
  }

  /** Whether the viewer lists an encoding it did not list before. */
  first(encoding: number): boolean {
    if (!this.listed.has(encoding) || this.announced.has(encoding)) return false
    this.announced.add(encoding)
    return true
  }

  /** Whether it lists a cursor's shape; for another one the cursor is part of the picture. */
  get drawsCursor(): boolean {
    return cursorEncoding((e) => this.listed.has(e)) !== null
  }

  /** A cursor's pixels come in the viewer's format: a new one asks for it again. */
  forgetCursor(): void {
    this.cursorImage = -1
  }

  answerResize(status: number): void {
    this.resizeAnswers.push(status)
    if (this.resizeAnswers.length > MAX_ANSWERS) this.resizeAnswers.shift()
  }

  takeSize(picture: Picture): void {
    this.width = picture.width
    this.height = picture.height
  }

  /**
   * Tells a new size; true when this update must be about that alone: after it the viewer's picture is undefined
   * (RFC 6143, 7.8.2).
   */
  writeSize(picture: Picture, out: FrameWriter): boolean {
    const changed = picture.width !== this.width || picture.height !== this.height
    if (this.listed.has(PSEUDO.EXTENDED_DESKTOP_SIZE)) {
      const announce = this.announcements.delete(PSEUDO.EXTENDED_DESKTOP_SIZE)
      if (!changed && !announce && this.resizeAnswers.length === 0) return false
      if (changed) this.takeSize(picture)
      for (const status of this.resizeAnswers) this.writeScreen(RESIZE_REASON.THIS_CLIENT, status, out)
      if (changed || announce) this.writeScreen(RESIZE_REASON.SERVER, RESIZE_STATUS.OK, out)
      this.resizeAnswers = []
      return true
    }
    // A viewer that cannot follow a size keeps its own: it is shown what fits.
    if (!changed || !this.listed.has(PSEUDO.DESKTOP_SIZE)) return false
    this.takeSize(picture)
    out.rect(0, 0, this.width, this.height, PSEUDO.DESKTOP_SIZE)
    return true
  }

  /** Everything else that changed. */
  write(news: ScreenNews, format: PixelFormat, out: FrameWriter): void {
    for (const encoding of this.announcements) out.rect(0, 0, 0, 0, encoding)
    this.announcements.clear()
    if (news.name !== this.name) this.writeName(news.name, out)
    if (news.cursor.image !== this.cursorImage) {
      const encoding = cursorEncoding((e) => this.listed.has(e))
      // A device that never showed a cursor leaves the viewer's own alone.
      if (encoding !== null && news.cursor.image !== 0) writeCursor(news.shape, encoding, format, out)
      if (encoding !== null) this.cursorImage = news.cursor.image
    }
    if (news.cursor.moves !== this.cursorMoves) {
      this.cursorMoves = news.cursor.moves
      if (news.cursor.visible && !news.steersPointer) this.writePosition(news.cursor, out)
    }
    if (news.leds !== this.leds) this.writeLeds(news.leds, out)
  }

  private writeScreen(reason: number, status: number, out: FrameWriter): void {
    out.rect(reason, status, this.width, this.height, PSEUDO.EXTENDED_DESKTOP_SIZE)
    out.u8(1)
    out.zeros(3)
    // One screen, id 0, over the whole picture.
    out.u32(0)
    out.u16(0)
    out.u16(0)
    out.u16(this.width)
    out.u16(this.height)
    out.u32(0)
  }

  private writeName(name: string, out: FrameWriter): void {
    this.name = name
    if (!this.listed.has(PSEUDO.DESKTOP_NAME)) return
    const bytes = Buffer.from(name, 'utf8')
    out.rect(0, 0, 0, 0, PSEUDO.DESKTOP_NAME)
    out.u32(bytes.length)
    out.append(bytes)
  }

  private writePosition(cursor: CursorState, out: FrameWriter): void {
    const x = Math.min(Math.max(cursor.x, 0), this.width - 1)
    const y = Math.min(Math.max(cursor.y, 0), this.height - 1)
    const encoding = [PSEUDO.POINTER_POS, PSEUDO.VMWARE_CURSOR_POSITION].find((e) => this.listed.has(e))
    if (encoding !== undefined) out.rect(x, y, 0, 0, encoding)
  }

  private writeLeds(leds: number, out: FrameWriter): void {
    // Both: bit 0 Scroll Lock, 1 Num Lock, 2 Caps Lock; evdev counts Num, Caps, Scroll.
    const state = ((leds & 1) << 1) | ((leds & 2) << 1) | ((leds & 4) >> 2)
    if (this.listed.has(PSEUDO.QEMU_LED_STATE)) {
      out.rect(0, 0, 1, 1, PSEUDO.QEMU_LED_STATE)
      out.u8(state)
    } else if (this.listed.has(PSEUDO.VMWARE_LED_STATE)) {
      out.rect(0, 0, 0, 0, PSEUDO.VMWARE_LED_STATE)
      out.u32(state)
    } else {
      return
    }
    this.leds = leds
  }
}
