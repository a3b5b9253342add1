import { GRID_COLUMNS, MAX_WIDTH, type Rect, TILE, TileSet } from './tiles.ts'

/** A rectangle whose pixels were elsewhere in the picture before: `x - dx`, `y - dy`. */
export interface Move extends Rect {
  readonly dx: number
  readonly dy: number
}

/** Two states of one picture: pixels 0x00RRGGBB in rows of `stride`. */
export interface PicturePair {
  readonly before: Uint32Array
  readonly after: Uint32Array
  readonly stride: number
  readonly width: number
  readonly height: number
}

/** Pixels in a row that make a feature: six characters of a console's text, since fewer come again all over a page. */
const WINDOW = 48
const MULTIPLIER = 0x2c1b3c6d | 0
/** MULTIPLIER to the power of WINDOW: what takes the oldest pixel out of the rolling hash. */
const OUT = power(MULTIPLIER, WINDOW)
/** One of 32 windows is a feature: chosen by its content, so that it is chosen again where it moved to. */
const SELECT_BITS = 5
/** Spreads the hash before the choice: its own low bits know little of the pixels, and text of two colours is all alike to them. */
const SPREAD = 0x9e37_79b1 | 0
/** Rows of the new picture that features are taken from, and of a high old one each fourth is searched. */
const SAMPLE_ROWS = 64
const HIGH = 256
const SEARCH_STEP = 4
const SLOTS = 8192
const MIN_VOTES = 8
/** Fewer tiles than this are not worth the search. */
export const MIN_MOVED_TILES = 48
/** Of a wide picture a band this wide is searched, around where most features are; sideways a quarter of it is seen. */
const BAND = 1024
const BIN = 64
/** Of 16 bytes each on the wire. */
const MAX_RECTS = 256

/**
 * Finds what was scrolled or dragged: one vector by which most of the changed part moved. Features of some rows of
 * the new picture are looked for everywhere in the old one; each one found votes for a vector; what the winner
 * explains is then compared pixel by pixel. Nothing is taken on trust of a hash.
 */
export class MotionFinder {
  private readonly keys = new Int32Array(SLOTS)
  private readonly places = new Int32Array(SLOTS)
  private readonly votes = new Map<number, number>()
  /** Features of the new picture by their place from left to right. */
  private readonly bins = new Uint32Array(Math.ceil(MAX_WIDTH / BIN))
  private misses = 0
  private attempts = 0

  /** Moves in an order in which each finds its source untouched by those before. Empty when nothing moved. */
  find(pair: PicturePair, changed: TileSet): Move[] {
    // Moving pictures never match: look at them seldom.
    this.attempts++
    if (this.misses > 4 && this.attempts % 16 !== 0) return []
    const vector = this.vote(pair, bounds(changed, pair))
    const moves = vector === null ? [] : explain(pair, changed, vector.dx, vector.dy)
    if (moves.length === 0) this.misses++
    else this.misses = 0
    return moves
  }

  private vote(pair: PicturePair, area: Rect): { dx: number; dy: number } | null {
    this.keys.fill(0)
    this.bins.fill(0)
    this.votes.clear()
    // Odd, so that wherever they moved to, a fourth of them is in a row that is searched.
    const step = Math.max(1, Math.floor(area.height / SAMPLE_ROWS)) | 1
    for (let y = area.y; y < area.y + area.height; y += step) this.collect(pair.after, pair.stride, y, area)
    const band = this.band(area)
    const every = area.height > HIGH ? SEARCH_STEP : 1
    for (let y = area.y; y < area.y + area.height; y += every) this.match(pair.before, pair.stride, y, band)
    let best = 0
    let second = 0
    let winner = 0
    for (const [vector, count] of this.votes) {
      if (count > best) {
        second = best
        best = count
        winner = vector
      } else if (count > second) second = count
    }
    // Words that come again vote for a vector each; what really moved stands out, however many they are.
    if (best < MIN_VOTES || best < 4 * second) return null
    const dy = Math.floor(winner / 8192) - 4096
    return { dx: (winner % 8192) - 4096, dy }
  }

  private band(area: Rect): Rect {
    if (area.width <= BAND) return area
    let best = 0
    let start = area.x
    for (let x = area.x; x + BAND / 2 <= area.x + area.width; x += BIN) {
      let count = 0
      for (let bin = 0; bin < BAND / 2 / BIN; bin++) count += this.bins[Math.floor(x / BIN) + bin]!
      if (count > best) {
        best = count
        start = x
      }
    }
    const x = Math.max(area.x, start - BAND / 4)
    return { ...area, x, width: Math.min(BAND, area.x + area.width - x) }
  }

  /** Puts a row's features into the table; one that comes twice is no feature. */
  private collect(pixels: Uint32Array, stride: number, y: number, area: Rect): void {
    const { keys, places, bins } = this
    this.features(pixels, stride, y, area, (hash, x) => {
      bins[Math.floor(x / BIN)]!++
      let slot = hash & (SLOTS - 1)
      for (let probes = 0; probes < 8; probes++, slot = (slot + 1) & (SLOTS - 1)) {
        if (keys[slot] === hash) {
          places[slot] = -1
          return
        }
        if (keys[slot] === 0) {
          keys[slot] = hash
          places[slot] = (y << 12) | x
          return
        }
      }
    })
  }

  /** Looks a row's features up. */
  private match(pixels: Uint32Array, stride: number, y: number, area: Rect): void {
    const { keys, places, votes } = this
    this.features(pixels, stride, y, area, (hash, x) => {
      let slot = hash & (SLOTS - 1)
      for (let probes = 0; probes < 8; probes++, slot = (slot + 1) & (SLOTS - 1)) {
        if (keys[slot] === 0) return
        if (keys[slot] !== hash) continue
        const place = places[slot]!
        if (place < 0) return
        const dx = (place & 0xfff) - x
        const dy = (place >> 12) - y
        // What did not move says nothing.
        if (dx === 0 && dy === 0) return
        const vector = (dy + 4096) * 8192 + dx + 4096
        votes.set(vector, (votes.get(vector) ?? 0) + 1)
        return
      }
    })
  }

  /** Rolls a hash along a row and calls `visit` with the chosen windows' hashes and left edges. */
  private features(
    pixels: Uint32Array,
    stride: number,
    y: number,
    area: Rect,
    visit: (hash: number, x: number) => void,
  ): void {
    if (area.width < WINDOW) return
    const start = y * stride + area.x
    let hash = 0
    let last = -1
    let changedAt = 0
    for (let i = 0; i < area.width; i++) {
      const pixel = pixels[start + i]!
      if (pixel !== last) {
        last = pixel
        changedAt = i
      }
      hash = (Math.imul(hash, MULTIPLIER) + pixel) | 0
      if (i < WINDOW) {
        if (i < WINDOW - 1) continue
      } else {
        hash = (hash - Math.imul(pixels[start + i - WINDOW]!, OUT)) | 0
      }
      // A window of one colour is everywhere.
      if (Math.imul(hash, SPREAD) >>> (32 - SELECT_BITS) !== 0 || i - changedAt >= WINDOW - 1 || hash === 0)
        continue
      visit(hash, area.x + i - WINDOW + 1)
    }
  }
}

function power(base: number, exponent: number): number {
  let result = 1
  for (let i = 0; i < exponent; i++) result = Math.imul(result, base)
  return result
}

/** The smallest rectangle around a set of tiles, inside the picture. */
function bounds(tiles: TileSet, pair: PicturePair): Rect {
  let [left, top, right, bottom] = [GRID_COLUMNS, Number.POSITIVE_INFINITY, 0, 0]
  tiles.forEach((_, column, row) => {
    left = Math.min(left, column)
    right = Math.max(right, column + 1)
    top = Math.min(top, row)
    bottom = Math.max(bottom, row + 1)
  })
  const x = left * TILE
  const y = top * TILE
  return {
    x,
    y,
    width: Math.min(right * TILE, pair.width) - x,
    height: Math.min(bottom * TILE, pair.height) - y,
  }
}

/** The changed tiles that are what was at `-dx`, `-dy` from them, as rectangles. */
function explain(pair: PicturePair, changed: TileSet, dx: number, dy: number): Move[] {
  const moved = new TileSet()
  let count = 0
  changed.forEach((tile, column, row) => {
    if (!tileMoved(pair, column * TILE, row * TILE, dx, dy)) return
    moved.add(tile)
    count++
  })
  if (count < MIN_MOVED_TILES) return []
  return ordered(moved, pair, dx, dy)
}

/**
 * A set of tiles as moves in a safe order. Rows of tiles taken in the direction of the move never overwrite what a
 * later one reads, whatever their shape; rows that make one rectangle are joined where that stays so.
 */
function ordered(moved: TileSet, pair: PicturePair, dx: number, dy: number): Move[] {
  const bands: Move[] = []
  moved.forEach((tile, column, row) => {
    if (column > 0 && moved.has(tile - 1)) return
    let columns = 1
    while (column + columns < GRID_COLUMNS && moved.has(tile + columns)) columns++
    const x = column * TILE
    const y = row * TILE
    const width = Math.min(columns * TILE, pair.width - x)
    bands.push({ x, y, width, height: Math.min(TILE, pair.height - y), dx, dy })
  })
  const downFirst = dy > 0 ? -1 : 1
  const rightFirst = dx > 0 ? -1 : 1
  bands.sort((a, b) => downFirst * (a.y - b.y) || rightFirst * (a.x - b.x))
  const moves: Move[] = []
  for (const band of bands) {
    const above = moves.findIndex((m) => m.x === band.x && m.width === band.width && touches(m, band))
    if (above >= 0) {
      const first = moves[above]!
      const joined = { ...band, y: Math.min(first.y, band.y), height: first.height + band.height }
      const safe = moves.every(
        (m, i) => i === above || !(i < above ? overlaps(m, joined) : overlaps(joined, m)),
      )
      if (safe) {
        moves[above] = joined
        continue
      }
    }
    if (moves.length < MAX_RECTS && moves.every((earlier) => !overlaps(earlier, band))) moves.push(band)
  }
  return moves
}

const touches = (a: Rect, b: Rect): boolean => a.y + a.height === b.y || b.y + b.height === a.y

function tileMoved(pair: PicturePair, x: number, y: number, dx: number, dy: number): boolean {
  const { before, after, stride } = pair
  const width = Math.min(TILE, pair.width - x)
  const height = Math.min(TILE, pair.height - y)
  const fromX = x - dx
  const fromY = y - dy
  if (fromX < 0 || fromY < 0 || fromX + width > pair.width || fromY + height > pair.height) return false
  for (let row = 0; row < height; row++) {
    let to = (y + row) * stride + x
    let from = (fromY + row) * stride + fromX
    for (const end = to + width; to < end; to++, from++) if (after[to] !== before[from]) return false
  }
  return true
}

/** Whether `earlier` writes over what `later` reads. */
function overlaps(earlier: Move, later: Move): boolean {
  const x = later.x - later.dx
  const y = later.y - later.dy
  return (
    earlier.x < x + later.width &&
    x < earlier.x + earlier.width &&
    earlier.y < y + later.height &&
    y < earlier.y + earlier.height
  )
}
