import type { FrameWriter } from '../frame-writer.ts'
import type { PixelFormat } from '../pixel-format.ts'
import { ENCODING } from '../protocol.ts'
import type { Encoder, PixelSource } from './encoder.ts'
import { Palette } from './palette.ts'

/** RFC 6143, 7.7.4: the bits of a tile's subencoding byte. */
const RAW = 1
const BACKGROUND_SPECIFIED = 2
const FOREGROUND_SPECIFIED = 4
const ANY_SUBRECTS = 8
const SUBRECTS_COLOURED = 16

const TILE = 16
const NONE = -1

/** RFC 6143, 7.7.4. */
export class HextileEncoder implements Encoder {
  private readonly palette = new Palette()
  /** Pixels of the current tile that a subrectangle already covers. */
  private readonly covered = new Uint8Array(TILE * TILE)
  /** Carried from tile to tile within one rectangle. */
  private background = NONE
  private foreground = NONE

  encode(
    source: PixelSource,
    x: number,
    y: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: FrameWriter,
  ): void {
    out.rect(x, y, width, height, ENCODING.HEXTILE)
    this.background = NONE
    this.foreground = NONE
    for (let ty = y; ty < y + height; ty += TILE) {
      const tileHeight = Math.min(TILE, y + height - ty)
      for (let tx = x; tx < x + width; tx += TILE) {
        const tileWidth = Math.min(TILE, x + width - tx)
        this.tile(source, ty * source.stride + tx, tileWidth, tileHeight, format, out)
      }
    }
  }

  close(): void {}

  private tile(
    source: PixelSource,
    offset: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: FrameWriter,
  ): void {
    const rawBytes = width * height * format.bytesPerPixel
    out.reserve(1 + rawBytes + format.bytesPerPixel * 2 + 1)
    const start = out.length
    const { palette } = this
    // Beyond 255 subrectangles there is only raw; so many colours never fit.
    const few = palette.collect(source.pixels, offset, source.stride, width, height, 256)
    if (!few || !this.subrects(source, offset, width, height, format, out, start + rawBytes)) {
      out.length = start
      out.bytes[out.length++] = RAW
      for (let row = 0; row < height; row++) {
        out.length = format.writePixels(
          source.pixels,
          offset + row * source.stride,
          width,
          out.bytes,
          out.length,
        )
      }
      // RFC 6143: after a raw tile neither colour carries over.
      this.background = NONE
      this.foreground = NONE
    }
  }

  /** Writes the tile by background and subrectangles; false when that takes more than up to `limit`. */
  private subrects(
    source: PixelSource,
    offset: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: FrameWriter,
    limit: number,
  ): boolean {
    const { palette, covered } = this
    const { bytes } = out
    let most = 0
    for (let i = 1; i < palette.size; i++) if (palette.runs[i]! > palette.runs[most]!) most = i
    const background = palette.colours[most]!
    const flagsAt = out.length++
    let flags = 0
    if (background !== this.background) {
      flags |= BACKGROUND_SPECIFIED
      out.length = format.writePixel(background, bytes, out.length)
    }
    let foreground = this.foreground
    const coloured = palette.size > 2
    if (palette.size === 2) {
      const other = palette.colours[1 - most]!
      if (other !== foreground) {
        flags |= FOREGROUND_SPECIFIED
        out.length = format.writePixel(other, bytes, out.length)
        foreground = other
      }
    } else if (coloured) {
      flags |= SUBRECTS_COLOURED
    }
    if (palette.size > 1) {
      flags |= ANY_SUBRECTS
      const countAt = out.length++
      let count = 0
      const each = 2 + (coloured ? format.bytesPerPixel : 0)
      covered.fill(0)
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          if (covered[row * TILE + column] !== 0) continue
          const at = offset + row * source.stride + column
          const colour = source.pixels[at]!
          if (colour === background) continue
          if (count === 255 || out.length + each > limit) return false
          let right = column + 1
          while (
            right < width &&
            source.pixels[at + right - column] === colour &&
            covered[row * TILE + right] === 0
          ) {
            right++
          }
          let bottom = row + 1
          while (bottom < height && this.rowIs(source, offset, bottom, column, right, colour)) bottom++
          for (let r = row; r < bottom; r++) covered.fill(1, r * TILE + column, r * TILE + right)
          if (coloured) out.length = format.writePixel(colour, bytes, out.length)
          bytes[out.length++] = (column << 4) | row
          bytes[out.length++] = ((right - column - 1) << 4) | (bottom - row - 1)
          count++
        }
      }
      bytes[countAt] = count
    }
    bytes[flagsAt] = flags
    this.background = background
    // RFC 6143: coloured subrectangles make the foreground unknown to the next tile.
    this.foreground = coloured ? NONE : foreground
    return true
  }

  private rowIs(
    source: PixelSource,
    offset: number,
    row: number,
    from: number,
    to: number,
    colour: number,
  ): boolean {
    for (let column = from; column < to; column++) {
      if (source.pixels[offset + row * source.stride + column] !== colour) return false
      if (this.covered[row * TILE + column] !== 0) return false
    }
    return true
  }
}
