import { takeRects } from '../display/coalesce.ts'
import { NOT_SOLID, type Picture, type ViewerDamage } from '../display/picture.ts'
import { BITMAP_WORDS, GRID_COLUMNS, TILE, TileSet } from '../display/tiles.ts'
import { writeCopyRect } from './encodings/copyrect.ts'
import type { Encoder } from './encodings/encoder.ts'
import { HextileEncoder } from './encodings/hextile.ts'
import { RawEncoder } from './encodings/raw.ts'
import { type JpegEncoder, TightEncoder } from './encodings/tight.ts'
import { ZrleEncoder } from './encodings/zrle.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { PixelFormat } from './pixel-format.ts'
import { ENCODING, PSEUDO } from './protocol.ts'

/** A tile that changes this often a second is a moving picture: loss is not seen, and saves most. */
const MOVING = 6
/** A tile that was sent with loss and rests this long (ms) is sent again without. */
export const REST = 300
/** Solid rectangles below this many tiles are left to the encoder of what surrounds them. */
const MIN_SOLID_TILES = 4

export interface ComposeOptions {
  /** Bytes after which the rest waits for the next update. */
  readonly budget: number
  /** The link is slow: loss is taken for everything that has many colours, and put right later. */
  readonly slow: boolean
  readonly now: number
  /** What the viewer can show of the picture: smaller when it cannot follow a change of size. */
  readonly width: number
  readonly height: number
}

/** Makes a JPEG encoder for a quality of 0 to 9, or none where there is no such thing. */
export type JpegFactory = (quality: number) => JpegEncoder

/**
 * Turns one viewer's damage into rectangles, by the encodings it listed. Owns the viewer's encoders and with them
 * its zlib streams: what it wrote must be sent.
 */
export class Composer {
  /** Which encoding is in use: for the page's statistics. */
  encoding: number = ENCODING.RAW
  private encoder: Encoder = new RawEncoder()
  private tight: TightEncoder | null = null
  private readonly made = new Map<number, Encoder>()
  private jpeg: JpegEncoder | null = null
  private readonly jpegFactory: JpegFactory | null
  private readonly work = new TileSet()
  private readonly moving = new TileSet()
  /** Row of tiles where the last update ran out of budget: the next begins there, so that the lower part is not starved. */
  private resumeRow = 0
  private width = 0
  private height = 0

  constructor(jpegFactory: JpegFactory | null) {
    this.jpegFactory = jpegFactory
  }

  private copyRect = false

  /** Takes the viewer's list, in its order of preference. */
  setEncodings(encodings: Int32Array): void {
    const level = levelIn(encodings, PSEUDO.COMPRESS_LEVEL_0, PSEUDO.COMPRESS_LEVEL_9)
    const quality = levelIn(encodings, PSEUDO.JPEG_QUALITY_0, PSEUDO.JPEG_QUALITY_9)
    // Level 0 would be none at all; beyond 6 there is next to nothing to gain from pictures.
    const zlibLevel = Math.min(6, Math.max(1, level ?? 2))
    let chosen: number = ENCODING.RAW
    for (const encoding of encodings) {
      if (
        encoding === ENCODING.TIGHT ||
        encoding === ENCODING.ZRLE ||
        encoding === ENCODING.HEXTILE ||
        encoding === ENCODING.RAW
      ) {
        chosen = encoding
        break
      }
    }
    this.encoding = chosen
    this.copyRect = encodings.includes(ENCODING.COPY_RECT)
    this.encoder = this.encoderFor(chosen, zlibLevel)
    this.tight = this.encoder instanceof TightEncoder ? this.encoder : null
    this.jpeg =
      this.tight !== null && quality !== null && this.jpegFactory !== null ? this.jpegFactory(quality) : null
  }

  /** Appends what the viewer needs, as far as the budget goes. */
  compose(
    picture: Picture,
    damage: ViewerDamage,
    format: PixelFormat,
    out: FrameWriter,
    options: ComposeOptions,
  ): void {
    const { work, moving } = this
    this.width = options.width
    this.height = options.height
    const start = out.length
    const room = (): boolean => out.length - start < options.budget && out.rectangles < 0xff00
    if (this.copyRect) this.copyMoves(picture, damage, out)
    damage.moves = []
    work.words.set(damage.dirty.words)
    this.dropInvisible(picture, damage)
    const resume = this.resumeRow
    this.resumeRow = 0
    if (resume > 0) this.composeFrom(resume, picture, damage, format, out, room)
    if (this.tight !== null) this.solids(this.tight, picture, damage, format, out, room)
    if (this.jpeg !== null && this.tight !== null) {
      this.pickMoving(picture, options.slow, moving)
      this.tight.jpeg = format.compactTight ? this.jpeg : null
      this.rects(moving, picture, damage, format, out, room)
      this.tight.jpeg = null
    }
    this.rects(work, picture, damage, format, out, room)
    if (!room()) return
    restingTiles(picture, damage, options.now, work)
    this.rects(work, picture, damage, format, out, room)
  }

  close(): void {
    for (const encoder of this.made.values()) encoder.close()
  }

  /** First of all in an update: what comes later may overwrite the sources. */
  private copyMoves(picture: Picture, damage: ViewerDamage, out: FrameWriter): void {
    if (this.width !== picture.width || this.height !== picture.height) return
    for (const { x, y, width, height, dx, dy } of damage.moves) {
      writeCopyRect(out, x, y, width, height, x - dx, y - dy)
      const columns = Math.ceil(width / TILE)
      const rows = Math.ceil(height / TILE)
      this.markSent(picture, damage, x / TILE, y / TILE, columns, rows, false)
    }
  }

  private encoderFor(encoding: number, level: number): Encoder {
    // Kept when the viewer changes its mind and back: its decoder's zlib streams go on as well.
    let encoder = this.made.get(encoding)
    if (encoder === undefined) {
      if (encoding === ENCODING.TIGHT) encoder = new TightEncoder(level)
      else if (encoding === ENCODING.ZRLE) encoder = new ZrleEncoder(level)
      else if (encoding === ENCODING.HEXTILE) encoder = new HextileEncoder()
      else encoder = new RawEncoder()
      this.made.set(encoding, encoder)
    }
    return encoder
  }

  /** The rows from `resume` on first; what is left goes the usual way. */
  private composeFrom(
    resume: number,
    picture: Picture,
    damage: ViewerDamage,
    format: PixelFormat,
    out: FrameWriter,
    room: () => boolean,
  ): void {
    const { work } = this
    const firstWord = (resume * GRID_COLUMNS) / 32
    const upper = work.words.slice(0, firstWord)
    work.words.fill(0, 0, firstWord)
    this.rects(work, picture, damage, format, out, room)
    work.words.set(upper)
  }

  private solids(
    tight: TightEncoder,
    picture: Picture,
    damage: ViewerDamage,
    format: PixelFormat,
    out: FrameWriter,
    room: () => boolean,
  ): void {
    const solid = this.moving
    solid.clear()
    this.work.forEach((tile) => {
      if (picture.solid[tile] !== NOT_SOLID) solid.add(tile)
    })
    takeRects(
      solid,
      (column, row, columns, rows) => {
        if (columns * rows < MIN_SOLID_TILES) return true
        const { x, y, width, height } = this.pixelsOf(column, row, columns, rows)
        tight.fill(x, y, width, height, picture.solid[row * GRID_COLUMNS + column]!, format, out)
        this.markSent(picture, damage, column, row, columns, rows, false)
        for (let r = row; r < row + rows; r++) {
          for (let c = column; c < column + columns; c++) this.work.remove(r * GRID_COLUMNS + c)
        }
        return room()
      },
      (tile, first) => picture.solid[tile] === picture.solid[first],
    )
  }

  private rects(
    tiles: TileSet,
    picture: Picture,
    damage: ViewerDamage,
    format: PixelFormat,
    out: FrameWriter,
    room: () => boolean,
  ): void {
    if (!room()) return
    takeRects(tiles, (column, row, columns, rows) => {
      // A high rectangle may be far beyond the budget: in slices, each complete.
      const slice = Math.max(1, Math.floor(8192 / (columns * 4)))
      for (let from = row; from < row + rows; from += slice) {
        const count = Math.min(slice, row + rows - from)
        const { x, y, width, height } = this.pixelsOf(column, from, columns, count)
        if (this.tight !== null) this.tight.lossy = false
        this.encoder.encode(picture, x, y, width, height, format, out)
        this.markSent(picture, damage, column, from, columns, count, this.tight?.lossy ?? false)
        if (!room()) {
          this.resumeRow = from + count
          return false
        }
      }
      return true
    })
  }

  /** Moves the tiles that are worth a lossy encoding from `work` to `into`. */
  private pickMoving(picture: Picture, all: boolean, into: TileSet): void {
    into.clear()
    this.work.forEach((tile) => {
      if (picture.solid[tile] === NOT_SOLID && (all || picture.heat[tile]! > MOVING)) {
        into.add(tile)
        this.work.remove(tile)
      }
    })
  }

  /** Tiles beyond what the viewer can show count as sent. */
  private dropInvisible(picture: Picture, damage: ViewerDamage): void {
    if (this.width === picture.width && this.height === picture.height) return
    this.work.forEach((tile, column, row) => {
      if (column * TILE < this.width && row * TILE < this.height) return
      this.work.remove(tile)
      damage.sent(tile, picture, false)
    })
  }

  private pixelsOf(
    column: number,
    row: number,
    columns: number,
    rows: number,
  ): { x: number; y: number; width: number; height: number } {
    const x = column * TILE
    const y = row * TILE
    return {
      x,
      y,
      width: Math.min(columns * TILE, this.width - x),
      height: Math.min(rows * TILE, this.height - y),
    }
  }

  private markSent(
    picture: Picture,
    damage: ViewerDamage,
    column: number,
    row: number,
    columns: number,
    rows: number,
    lossy: boolean,
  ): void {
    for (let r = row; r < row + rows; r++) {
      for (let c = column; c < column + columns; c++) damage.sent(r * GRID_COLUMNS + c, picture, lossy)
    }
  }
}

/** The tiles whose loss is due to be put right. */
export function restingTiles(picture: Picture, damage: ViewerDamage, now: number, into: TileSet): void {
  into.clear()
  for (let i = 0; i < BITMAP_WORDS; i++)
    if (damage.lossy.words[i] !== 0) into.words[i] = damage.lossy.words[i]!
  into.forEach((tile) => {
    if (now - picture.changedAt[tile]! < REST) into.remove(tile)
  })
}

/** The first of a range of ten pseudo-encodings in the list, as 0 to 9; null when there is none. */
function levelIn(encodings: Int32Array, zero: number, nine: number): number | null {
  for (const encoding of encodings) if (encoding >= zero && encoding <= nine) return encoding - zero
  return null
}
