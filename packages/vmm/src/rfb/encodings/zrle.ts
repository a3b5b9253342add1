import type { ByteWriter } from '../byte-writer.ts'
import { DeflateStream } from '../deflate-stream.ts'
import type { FrameWriter } from '../frame-writer.ts'
import type { PixelFormat } from '../pixel-format.ts'
import { ENCODING } from '../protocol.ts'
import type { Encoder, PixelSource } from './encoder.ts'
import { Palette } from './palette.ts'

const TILE = 64
/** RFC 6143, 7.7.6: subencodings of a tile. */
const RAW = 0
const SOLID = 1
const PLAIN_RLE = 128
const MAX_PACKED = 16
const MAX_PALETTE_RLE = 127

/** RFC 6143, 7.7.6. */
export class ZrleEncoder implements Encoder {
  private readonly stream: DeflateStream
  private readonly palette = new Palette()
  /** Of the last tile: runs, and runs of one pixel (a palette index alone says those). */
  private runs = 0
  private singles = 0

  constructor(level: number) {
    this.stream = new DeflateStream(level)
  }

  encode(
    source: PixelSource,
    x: number,
    y: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: FrameWriter,
  ): void {
    const { input } = this.stream
    for (let ty = y; ty < y + height; ty += TILE) {
      const tileHeight = Math.min(TILE, y + height - ty)
      for (let tx = x; tx < x + width; tx += TILE) {
        const tileWidth = Math.min(TILE, x + width - tx)
        this.tile(source, ty * source.stride + tx, tileWidth, tileHeight, format, input)
      }
    }
    out.rect(x, y, width, height, ENCODING.ZRLE)
    const lengthAt = out.length
    out.u32(0)
    this.stream.flush(out)
    out.patchU32(lengthAt, out.length - lengthAt - 4)
  }

  close(): void {
    this.stream.close()
  }

  private tile(
    source: PixelSource,
    offset: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: ByteWriter,
  ): void {
    const { palette } = this
    const pixelBytes = format.cpixelBytes
    const area = width * height
    const few = palette.collect(source.pixels, offset, source.stride, width, height, MAX_PALETTE_RLE)
    // The longest of all forms, so that what follows never checks for room.
    out.reserve(1 + MAX_PALETTE_RLE * pixelBytes + area * (pixelBytes + 1) + 16)
    if (few && palette.size === 1) {
      out.bytes[out.length++] = SOLID
      out.length = format.writeCpixel(palette.colours[0]!, out.bytes, out.length)
      return
    }
    this.countRuns(source, offset, width, height)
    let best = area * pixelBytes
    let choice = RAW
    // Run lengths beyond 255 take more bytes; they are rare enough to leave out of the estimate.
    const plainRle = this.runs * (pixelBytes + 1)
    if (plainRle < best) {
      best = plainRle
      choice = PLAIN_RLE
    }
    if (few) {
      const paletteRle = palette.size * pixelBytes + 2 * this.runs - this.singles
      if (paletteRle < best) {
        best = paletteRle
        choice = PLAIN_RLE + palette.size
      }
      if (palette.size <= MAX_PACKED) {
        const packed = palette.size * pixelBytes + Math.ceil((width * bitsFor(palette.size)) / 8) * height
        if (packed <= best) choice = palette.size
      }
    }
    out.bytes[out.length++] = choice
    if (choice === RAW) {
      for (let row = 0; row < height; row++) {
        out.length = format.writeCpixels(
          source.pixels,
          offset + row * source.stride,
          width,
          out.bytes,
          out.length,
        )
      }
    } else if (choice === PLAIN_RLE) {
      this.rle(source, offset, width, height, format, out, false)
    } else {
      for (let i = 0; i < palette.size; i++) {
        out.length = format.writeCpixel(palette.colours[i]!, out.bytes, out.length)
      }
      if (choice > PLAIN_RLE) this.rle(source, offset, width, height, format, out, true)
      else this.packed(source, offset, width, height, out)
    }
  }

  /** Runs go on from row to row of the tile. */
  private countRuns(source: PixelSource, offset: number, width: number, height: number): void {
    const { pixels, stride } = source
    let runs = 0
    let singles = 0
    let length = 0
    let last = -1
    for (let row = 0; row < height; row++) {
      let at = offset + row * stride
      for (const end = at + width; at < end; at++) {
        const pixel = pixels[at]!
        if (pixel === last) {
          length++
          continue
        }
        if (length === 1) singles++
        runs++
        length = 1
        last = pixel
      }
    }
    if (length === 1) singles++
    this.runs = runs
    this.singles = singles
  }

  private rle(
    source: PixelSource,
    offset: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: ByteWriter,
    byIndex: boolean,
  ): void {
    const { pixels, stride } = source
    let last = pixels[offset]!
    let length = 0
    for (let row = 0; row < height; row++) {
      let at = offset + row * stride
      for (const end = at + width; at < end; at++) {
        const pixel = pixels[at]!
        if (pixel === last) {
          length++
          continue
        }
        this.run(last, length, format, out, byIndex)
        last = pixel
        length = 1
      }
    }
    this.run(last, length, format, out, byIndex)
  }

  private run(pixel: number, length: number, format: PixelFormat, out: ByteWriter, byIndex: boolean): void {
    const { bytes } = out
    if (byIndex) {
      const index = this.palette.indexOf(pixel)
      if (length === 1) {
        bytes[out.length++] = index
        return
      }
      bytes[out.length++] = index | 128
    } else {
      out.length = format.writeCpixel(pixel, bytes, out.length)
    }
    let rest = length - 1
    for (; rest >= 255; rest -= 255) bytes[out.length++] = 255
    bytes[out.length++] = rest
  }

  /** Indices of 1, 2 or 4 bits, rows filled up to whole bytes. */
  private packed(source: PixelSource, offset: number, width: number, height: number, out: ByteWriter): void {
    const { palette } = this
    const { bytes } = out
    const bits = bitsFor(palette.size)
    let last = -1
    let index = 0
    for (let row = 0; row < height; row++) {
      const at = offset + row * source.stride
      let byte = 0
      let free = 8
      for (let column = 0; column < width; column++) {
        const pixel = source.pixels[at + column]!
        if (pixel !== last) {
          last = pixel
          index = palette.indexOf(pixel)
        }
        free -= bits
        byte |= index << free
        if (free === 0) {
          bytes[out.length++] = byte
          byte = 0
          free = 8
        }
      }
      if (free < 8) bytes[out.length++] = byte
    }
  }
}

function bitsFor(size: number): number {
  return size <= 2 ? 1 : size <= 4 ? 2 : 4
}
