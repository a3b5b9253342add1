import { MIN_MOVED_TILES, MotionFinder, type Move } from './motion.ts'
import { SURFACE_STRIDE, type Surface } from './surface.ts'
import { BITMAP_WORDS, GRID_COLUMNS, GRID_ROWS, GRID_TILES, TILE, TileSet } from './tiles.ts'

/** `solid` of a tile that has more than one colour. */
export const NOT_SOLID = -1

/**
 * The display thread's own copy of the guest's picture, brought up to date from damaged tiles only and compared
 * while copying: a tile that was redrawn with the same pixels does not count as changed. Encoders read this copy,
 * never the guest's, so what was encoded is what is remembered as sent.
 *
 * Each tile has a 64-bit digest of its pixels. A viewer remembers the digests it was sent; the difference is what
 * it needs, without a second copy of the picture for each viewer.
 */
export class Picture {
  width = 0
  height = 0
  /** Changes when the size does. */
  geometry = -1
  /** 0x00RRGGBB. */
  pixels = new Uint32Array(0)
  /** Pixels from one row to the next: a whole number of tiles. */
  stride = 0
  readonly digestLow = new Int32Array(GRID_TILES)
  readonly digestHigh = new Int32Array(GRID_TILES)
  /** The colour of a tile that has only one, else NOT_SOLID. */
  readonly solid = new Int32Array(GRID_TILES)
  /** When the tile last changed, in the caller's ms. */
  readonly changedAt = new Float64Array(GRID_TILES)
  /** About how often a second the tile has changed lately. */
  readonly heat = new Float32Array(GRID_TILES)
  /** Tiles the last `update` changed. */
  readonly changed = new TileSet()
  /** What the last `update` moved rather than drew; valid on a screen that showed the picture before it. */
  moves: readonly Move[] = []
  private readonly pending = new Uint32Array(BITMAP_WORDS)
  private readonly motion = new MotionFinder()
  /** The pixels before the update, where a move is looked for. */
  private before = new Uint32Array(0)

  /** Takes over what the guest drew; true when a tile or the size changed. */
  update(surface: Surface, now = 0): boolean {
    this.changed.clear()
    this.moves = []
    const size = surface.size()
    if (size === null) return false
    const resized = size.geometry !== this.geometry
    if (resized) this.resize(size.width, size.height, size.geometry)
    // After the size: bits set for a newer size stay for the next round, where that size is seen.
    surface.takeDamage(this.pending)
    const columns = Math.ceil(this.width / TILE)
    const rows = Math.ceil(this.height / TILE)
    let any = 0
    const large = !resized && this.keepBefore()
    for (let i = 0; i < BITMAP_WORDS; i++) {
      let bits = this.pending[i]!
      this.pending[i] = 0
      while (bits !== 0) {
        const tile = i * 32 + 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        const column = tile % GRID_COLUMNS
        const row = Math.floor(tile / GRID_COLUMNS)
        if (column >= columns || row >= rows) continue
        if (this.updateTile(surface.pixels, tile, column, row)) {
          this.changed.add(tile)
          this.heat[tile] = this.heat[tile]! * Math.exp((this.changedAt[tile]! - now) / 1000) + 1
          this.changedAt[tile] = now
          any++
        }
      }
    }
    if (large && any >= MIN_MOVED_TILES) this.findMoves()
    return any > 0 || resized
  }

  /** Keeps the pixels of damaged rows when the damage is large enough for a move; false when it is not. */
  private keepBefore(): boolean {
    let first = -1
    let last = -1
    let words = 0
    for (let i = 0; i < BITMAP_WORDS; i++) {
      if (this.pending[i] === 0) continue
      if (first < 0) first = i
      last = i
      words++
    }
    const rowWords = GRID_COLUMNS / 32
    // A word holds up to 32 tiles; a narrow window has one word a row.
    if (words < 3) return false
    const top = Math.floor(first / rowWords) * TILE
    const bottom = Math.min(Math.ceil((last + 1) / rowWords) * TILE, Math.ceil(this.height / TILE) * TILE)
    if (this.before.length < this.pixels.length) this.before = new Uint32Array(this.pixels.length)
    this.before.set(this.pixels.subarray(top * this.stride, bottom * this.stride), top * this.stride)
    return true
  }

  private findMoves(): void {
    const { before, pixels: after, stride, width, height } = this
    this.moves = this.motion.find({ before, after, stride, width, height }, this.changed)
    // What was moved was not drawn: it says nothing about how soon it changes again.
    for (const move of this.moves) {
      for (let y = move.y; y < move.y + move.height; y += TILE) {
        const first = (y / TILE) * GRID_COLUMNS + move.x / TILE
        for (let tile = first; tile < first + Math.ceil(move.width / TILE); tile++) this.heat[tile]! -= 1
      }
    }
  }

  private resize(width: number, height: number, geometry: number): void {
    this.width = width
    this.height = height
    this.geometry = geometry
    const stride = Math.ceil(width / TILE) * TILE
    const needed = stride * Math.ceil(height / TILE) * TILE
    if (this.pixels.length < needed) this.pixels = new Uint32Array(needed)
    this.stride = stride
    // The stride moved every pixel: all tiles are taken again, whatever the damage says.
    this.digestLow.fill(0)
    this.digestHigh.fill(0)
    this.solid.fill(NOT_SOLID)
    this.heat.fill(0)
    for (let row = 0; row < GRID_ROWS; row++) {
      const first = row * (GRID_COLUMNS / 32)
      this.pending.fill(0xffff_ffff, first, first + Math.ceil(stride / TILE / 32))
    }
  }

  /** Whether the guest drew what is there already: most drivers flush more than they drew, and a digest costs more. */
  private isSame(source: Uint32Array, x: number, y: number, width: number, height: number): boolean {
    const { pixels, stride } = this
    for (let line = 0; line < height; line++) {
      let from = (y + line) * SURFACE_STRIDE + x
      let to = (y + line) * stride + x
      for (const end = from + width; from < end; from++, to++)
        if (((source[from]! ^ pixels[to]!) & 0xff_ffff) !== 0) return false
    }
    return true
  }

  /** Copies one tile and its digest; false when nothing in it differs. Allocates nothing. */
  private updateTile(source: Uint32Array, tile: number, column: number, row: number): boolean {
    const x = column * TILE
    const y = row * TILE
    const width = Math.min(TILE, this.width - x)
    const height = Math.min(TILE, this.height - y)
    const pixels = this.pixels
    if (this.digestLow[tile] !== 0 && this.isSame(source, x, y, width, height)) return false
    let low = 0x243f6a88
    let high = 0x13198a2e
    const first = source[y * SURFACE_STRIDE + x]! & 0xff_ffff
    let differs = 0
    for (let line = 0; line < height; line++) {
      let from = (y + line) * SURFACE_STRIDE + x
      let to = (y + line) * this.stride + x
      for (const end = from + width; from < end; from++, to++) {
        const pixel = source[from]! & 0xff_ffff
        pixels[to] = pixel
        differs |= pixel ^ first
        // Two polynomials. A product carries a difference only upwards, so the second gets the pixel turned around:
        // what is a high bit to one is a low bit to the other.
        low = (Math.imul(low, 0x2c1b3c6d) + pixel) | 0
        high = (Math.imul(high, 0x297a2d39) + ((pixel << 16) | (pixel >>> 16))) | 0
      }
    }
    const solid = differs === 0 ? first : NOT_SOLID
    // Zero means "never sent" to viewers.
    if (low === 0) low = 1
    if (this.digestLow[tile] === low && this.digestHigh[tile] === high) return false
    this.digestLow[tile] = low
    this.digestHigh[tile] = high
    this.solid[tile] = solid
    return true
  }
}

/** What one viewer has on its screen, tile by tile, and what it therefore still needs. */
export class ViewerDamage {
  private readonly sentLow = new Int32Array(GRID_TILES)
  private readonly sentHigh = new Int32Array(GRID_TILES)
  private geometry = -1
  /** Tiles that may differ from what was sent. */
  readonly dirty = new TileSet()
  /** Tiles that were sent with loss and are due again when they rest. */
  readonly lossy = new TileSet()
  /** Moves of the picture that are right on this viewer's screen as it is now. */
  moves: readonly Move[] = []

  /** Takes over what a picture's update changed. Call it for every update, or `invalidate`. */
  follow(picture: Picture): void {
    if (picture.geometry !== this.geometry) {
      this.geometry = picture.geometry
      this.invalidate(picture)
      return
    }
    // Before the new damage is added: what is clean now is what the picture was before this update.
    this.moves = picture.moves.filter((move) => this.hasSource(move))
    this.dirty.addAll(picture.changed)
  }

  /** Forgets what was sent: everything is due. */
  invalidate(picture: Picture): void {
    this.sentLow.fill(0)
    this.sentHigh.fill(0)
    this.lossy.clear()
    this.dirty.clear()
    this.moves = []
    this.dirty.addRect(0, 0, picture.width, picture.height)
  }

  /** The same for the tiles a rectangle touches. */
  invalidateRect(x: number, y: number, width: number, height: number): void {
    this.moves = []
    const tiles = new TileSet()
    tiles.addRect(x, y, width, height)
    tiles.forEach((tile) => {
      this.sentLow[tile] = 0
      this.dirty.add(tile)
    })
  }

  /** Whether the viewer has exactly the picture's pixels there. */
  isCurrent(tile: number, picture: Picture): boolean {
    return (
      this.sentLow[tile] === picture.digestLow[tile] &&
      this.sentHigh[tile] === picture.digestHigh[tile] &&
      !this.lossy.has(tile)
    )
  }

  /** Drops tiles that turned back to what the viewer has; true when some remain. */
  refine(picture: Picture): boolean {
    let any = false
    this.dirty.forEach((tile) => {
      if (
        this.sentLow[tile] === picture.digestLow[tile] &&
        this.sentHigh[tile] === picture.digestHigh[tile]
      ) {
        this.dirty.remove(tile)
      } else {
        any = true
      }
    })
    return any
  }

  private hasSource(move: Move): boolean {
    const source = new TileSet()
    source.addRect(move.x - move.dx, move.y - move.dy, move.width, move.height)
    for (let i = 0; i < BITMAP_WORDS; i++) {
      if ((source.words[i]! & (this.dirty.words[i]! | this.lossy.words[i]!)) !== 0) return false
    }
    return true
  }

  /** Notes that the tile as it is in the picture now goes to the viewer. */
  sent(tile: number, picture: Picture, lossy: boolean): void {
    this.sentLow[tile] = picture.digestLow[tile]!
    this.sentHigh[tile] = picture.digestHigh[tile]!
    this.dirty.remove(tile)
    if (lossy) this.lossy.add(tile)
    else this.lossy.remove(tile)
  }
}
