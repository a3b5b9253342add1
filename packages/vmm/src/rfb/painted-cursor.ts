import { NOT_SOLID, type Picture, type ViewerDamage } from '../display/picture.ts'
import type { CursorState } from '../display/surface.ts'
import { clip, GRID_COLUMNS, type Rect, TILE } from '../display/tiles.ts'
import type { CursorShape } from './cursor-shape.ts'

/**
 * The guest's cursor for a viewer that draws none itself (RFC 6143, 7.8.1: it then belongs to the picture): a recorder,
 * or a viewer made for looking only. The picture is everybody's, so the cursor is in it only while this viewer's update
 * is composed.
 */
export class PaintedCursor {
  /** Where this viewer's screen has it. */
  private shown: Rect | null = null
  private image = -1
  private readonly pixels: number[] = []
  private readonly solid: number[] = []

  /** Has what it leaves and what it reaches sent again. Call before each update. */
  follow(cursor: CursorState, shape: CursorShape, picture: Picture, damage: ViewerDamage): void {
    const next = placeOf(cursor, shape, picture)
    if (cursor.image !== this.image || !same(next, this.shown)) {
      // The picture may have become smaller since.
      const left = this.shown && clip(this.shown, picture.width, picture.height)
      for (const rect of [left, next]) {
        if (rect !== null) damage.invalidateRect(rect.x, rect.y, rect.width, rect.height)
      }
      this.shown = next
      this.image = cursor.image
    }
    // What this viewer's screen has under the cursor is not what the picture has.
    const { shown } = this
    if (shown !== null)
      damage.moves = damage.moves.filter(
        ({ x, y, width, height, dx, dy }) =>
          !touches(shown, { x, y, width, height }) &&
          !touches(shown, { x: x - dx, y: y - dy, width, height }),
      )
  }

  /** It is no longer this viewer's: it draws one itself now. */
  leave(picture: Picture, damage: ViewerDamage): void {
    const left = this.shown && clip(this.shown, picture.width, picture.height)
    if (left !== null) damage.invalidateRect(left.x, left.y, left.width, left.height)
    this.shown = null
    this.image = -1
  }

  /** Runs `compose` while the cursor is in the picture. */
  within(cursor: CursorState, shape: CursorShape, picture: Picture, compose: () => void): void {
    const { shown } = this
    if (shown === null) {
      compose()
      return
    }
    this.paint(shown, cursor.x - shape.hotX, cursor.y - shape.hotY, shape, picture)
    try {
      compose()
    } finally {
      this.unpaint(shown, picture)
    }
  }

  private paint(shown: Rect, left: number, top: number, shape: CursorShape, picture: Picture): void {
    const { pixels, solid } = this
    pixels.length = 0
    solid.length = 0
    for (let y = shown.y; y < shown.y + shown.height; y++) {
      for (let x = shown.x; x < shown.x + shown.width; x++) {
        const at = y * picture.stride + x
        const under = picture.pixels[at]!
        pixels.push(under)
        picture.pixels[at] = over(shape.pixels[(y - top) * shape.width + (x - left)]!, under)
      }
    }
    eachTile(shown, (tile) => {
      solid.push(picture.solid[tile]!)
      picture.solid[tile] = NOT_SOLID
    })
  }

  private unpaint(shown: Rect, picture: Picture): void {
    let next = 0
    for (let y = shown.y; y < shown.y + shown.height; y++)
      for (let x = shown.x; x < shown.x + shown.width; x++)
        picture.pixels[y * picture.stride + x] = this.pixels[next++]!
    next = 0
    eachTile(shown, (tile) => {
      picture.solid[tile] = this.solid[next++]!
    })
  }
}

/** The part of the picture it covers; null when none. */
function placeOf(cursor: CursorState, shape: CursorShape, picture: Picture): Rect | null {
  if (!cursor.visible) return null
  const { width, height } = shape
  return clip(
    { x: cursor.x - shape.hotX, y: cursor.y - shape.hotY, width, height },
    picture.width,
    picture.height,
  )
}

/** Premultiplied 0xAARRGGBB over 0x00RRGGBB. */
function over(pixel: number, under: number): number {
  const rest = 255 - (pixel >>> 24)
  const channel = (shift: number): number =>
    // A guest may premultiply wrongly.
    Math.min(255, ((pixel >>> shift) & 0xff) + Math.round((((under >>> shift) & 0xff) * rest) / 255)) << shift
  return channel(16) | channel(8) | channel(0)
}

function eachTile({ x, y, width, height }: Rect, visit: (tile: number) => void): void {
  for (let row = Math.floor(y / TILE); row * TILE < y + height; row++)
    for (let column = Math.floor(x / TILE); column * TILE < x + width; column++)
      visit(row * GRID_COLUMNS + column)
}

function same(a: Rect | null, b: Rect | null): boolean {
  if (a === null || b === null) return a === b
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height
}

/** By tiles: a move and a cursor in the same tile disturb each other. */
function touches(a: Rect, b: Rect): boolean {
  const first = (start: number): number => Math.floor(start / TILE)
  const last = (start: number, length: number): number => Math.floor((start + length - 1) / TILE)
  return (
    first(a.x) <= last(b.x, b.width) &&
    first(b.x) <= last(a.x, a.width) &&
    first(a.y) <= last(b.y, b.height) &&
    first(b.y) <= last(a.y, a.height)
  )
}
