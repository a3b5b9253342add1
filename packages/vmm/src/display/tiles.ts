/**
 * The tile grid that all damage is counted in: 16 × 16 pixels, hextile's own size and small enough that a typed
 * character costs one or two. A tile's number depends on its place only, never on the picture's size, so a grid
 * survives a change of resolution.
 */
export const TILE = 16
export const MAX_WIDTH = 3840
export const MAX_HEIGHT = 2160
/** Tiles in a row of the grid, used or not: a multiple of 32, so that a row is whole words of a bitmap. */
export const GRID_COLUMNS = 256
export const GRID_ROWS = MAX_HEIGHT / TILE
export const GRID_TILES = GRID_COLUMNS * GRID_ROWS
export const ROW_WORDS = GRID_COLUMNS / 32
export const BITMAP_WORDS = GRID_ROWS * ROW_WORDS

export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The bits of word `word` of a grid row that columns [first, last] cover. */
export function wordMask(word: number, first: number, last: number): number {
  const low = Math.max(first - word * 32, 0)
  const high = Math.min(last - word * 32, 31)
  if (low > high) return 0
  return ((0xffff_ffff >>> (31 - (high - low))) << low) >>> 0
}

/** The part of a rectangle inside width × height, or null when there is none. Takes any numbers a guest may send. */
export function clip(rect: Rect, width: number, height: number): Rect | null {
  const right = Math.min(rect.x + rect.width, width)
  const bottom = Math.min(rect.y + rect.height, height)
  const x = Math.max(rect.x, 0)
  const y = Math.max(rect.y, 0)
  if (!(right > x) || !(bottom > y)) return null
  return { x, y, width: right - x, height: bottom - y }
}

/** A set of tiles. Private to one thread; what threads share is in surface.ts. */
export class TileSet {
  readonly words = new Uint32Array(BITMAP_WORDS)

  /** Also false beyond the grid. */
  has(tile: number): boolean {
    if (tile >= GRID_TILES) return false
    return ((this.words[tile >>> 5]! >>> (tile & 31)) & 1) !== 0
  }

  add(tile: number): void {
    this.words[tile >>> 5]! |= 1 << (tile & 31)
  }

  remove(tile: number): void {
    this.words[tile >>> 5]! &= ~(1 << (tile & 31))
  }

  clear(): void {
    this.words.fill(0)
  }

  get empty(): boolean {
    for (let i = 0; i < BITMAP_WORDS; i++) if (this.words[i] !== 0) return false
    return true
  }

  get size(): number {
    let count = 0
    for (const word of this.words) {
      let bits = word
      while (bits !== 0) {
        bits &= bits - 1
        count++
      }
    }
    return count
  }

  addAll(other: TileSet): void {
    for (let i = 0; i < BITMAP_WORDS; i++) this.words[i]! |= other.words[i]!
  }

  /** Adds every tile a rectangle of pixels touches; the rectangle lies inside the grid. */
  addRect(x: number, y: number, width: number, height: number): void {
    if (width <= 0 || height <= 0) return
    const first = Math.floor(x / TILE)
    const last = Math.floor((x + width - 1) / TILE)
    const bottom = Math.floor((y + height - 1) / TILE)
    for (let row = Math.floor(y / TILE); row <= bottom; row++) {
      for (let word = first >>> 5; word <= last >>> 5; word++) {
        this.words[row * ROW_WORDS + word]! |= wordMask(word, first, last)
      }
    }
  }

  /** Calls `visit` for every tile in it, in reading order. `visit` may remove that tile. */
  forEach(visit: (tile: number, column: number, row: number) => void): void {
    for (let i = 0; i < BITMAP_WORDS; i++) {
      let bits = this.words[i]!
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        const tile = i * 32 + bit
        visit(tile, tile % GRID_COLUMNS, Math.floor(tile / GRID_COLUMNS))
      }
    }
  }
}
