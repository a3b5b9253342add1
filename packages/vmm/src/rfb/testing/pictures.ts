import type { PixelSource } from '../encodings/encoder.ts'

/** A small generator with a seed (xorshift32), so that a failure can be had again. */
export class Random {
  private state: number
  constructor(seed: number) {
    this.state = seed | 0 || 1
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    this.state ^= this.state << 13
    this.state ^= this.state >>> 17
    this.state ^= this.state << 5
    return (this.state >>> 0) % limit
  }
}

export interface TestPicture extends PixelSource {
  readonly width: number
  readonly height: number
}

export function blank(width: number, height: number): TestPicture {
  return { width, height, stride: width, pixels: new Uint32Array(width * height) }
}

/** Draws something into a rectangle, of a kind that calls for different subencodings. */
export function scribble(
  picture: TestPicture,
  random: Random,
  x: number,
  y: number,
  w: number,
  h: number,
): void {
  const kind = random.below(6)
  const colours = Array.from({ length: [1, 2, 4, 16, 100, 300][kind]! }, () => random.below(0x100_0000))
  const blocks = random.below(2) === 0
  for (let row = y; row < y + h; row++) {
    for (let column = x; column < x + w; column++) {
      // Blocks make runs and rectangles, points make noise; the last kind is a gradient with noise.
      const at = blocks ? (row >> 2) * 31 + (column >> 3) : random.below(1 << 20)
      const pixel =
        kind === 5 && !blocks
          ? ((column & 255) << 16) | ((row & 255) << 8) | random.below(4)
          : colours[at % colours.length]!
      picture.pixels[row * picture.stride + column] = pixel
    }
  }
}

/** A rectangle inside the picture, of any size down to one pixel. */
export function anyRect(
  random: Random,
  width: number,
  height: number,
): { x: number; y: number; width: number; height: number } {
  const x = random.below(width)
  const y = random.below(height)
  return { x, y, width: 1 + random.below(width - x), height: 1 + random.below(height - y) }
}
