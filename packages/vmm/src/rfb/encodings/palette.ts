/** Slots of the table: four times the colours, so that probes stay short. */
const SLOTS = 1024
const MASK = SLOTS - 1

/**
 * The colours of a block in the order they appear, with their numbers. Used again block after block: a round
 * number tells old slots from new ones, so nothing is cleared.
 */
export class Palette {
  readonly colours = new Uint32Array(256)
  /** How often each colour begins a run, not how often it occurs: cheap, and enough to choose a background. */
  readonly runs = new Uint32Array(256)
  size = 0
  private readonly keys = new Uint32Array(SLOTS)
  private readonly values = new Uint8Array(SLOTS)
  private readonly rounds = new Uint32Array(SLOTS)
  private round = 0

  /** Collects the colours of a block; false as soon as there are more than `limit` (at most 256). */
  collect(
    pixels: Uint32Array,
    offset: number,
    stride: number,
    width: number,
    height: number,
    limit: number,
  ): boolean {
    this.size = 0
    if (++this.round === 0x1_0000_0000) {
      this.rounds.fill(0)
      this.round = 1
    }
    let last = 0xffff_ffff
    for (let row = 0; row < height; row++) {
      let at = offset + row * stride
      for (const end = at + width; at < end; at++) {
        const pixel = pixels[at]!
        if (pixel === last) continue
        last = pixel
        const index = this.insert(pixel, limit)
        if (index < 0) return false
        this.runs[index]!++
      }
    }
    return true
  }

  /** The number of a collected colour. */
  indexOf(pixel: number): number {
    let slot = hash(pixel)
    while (this.keys[slot] !== pixel) slot = (slot + 1) & MASK
    return this.values[slot]!
  }

  private insert(pixel: number, limit: number): number {
    let slot = hash(pixel)
    while (this.rounds[slot] === this.round) {
      if (this.keys[slot] === pixel) return this.values[slot]!
      slot = (slot + 1) & MASK
    }
    if (this.size === limit) return -1
    this.rounds[slot] = this.round
    this.keys[slot] = pixel
    this.values[slot] = this.size
    this.colours[this.size] = pixel
    this.runs[this.size] = 0
    return this.size++
  }
}

function hash(pixel: number): number {
  return (Math.imul(pixel, 0x9e3779b1) >>> 22) & MASK
}
