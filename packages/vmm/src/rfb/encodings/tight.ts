import type { ByteWriter } from '../byte-writer.ts'
import { DeflateStream } from '../deflate-stream.ts'
import type { FrameWriter } from '../frame-writer.ts'
import type { PixelFormat } from '../pixel-format.ts'
import { ENCODING } from '../protocol.ts'
import type { Encoder, PixelSource } from './encoder.ts'
import { Palette } from './palette.ts'

/** rfbproto, Tight: the upper half of the compression-control byte. */
const FILL_COMPRESSION = 0x80
const JPEG_COMPRESSION = 0x90
/** Basic compression: bit 6 says that a filter id follows, bits 4 and 5 name the zlib stream. */
const READ_FILTER_ID = 0x40
const PALETTE_FILTER = 1
/** Which kind of data goes through which stream, so that each stays like itself. */
const STREAM_FULL = 0
const STREAM_MONO = 1
const STREAM_INDEXED = 2
/** Less data than this is not compressed and has no length. */
const MIN_TO_COMPRESS = 12
/** A rectangle is at most 2048 pixels wide; smaller blocks find smaller palettes. */
const BLOCK_WIDTH = 256
const BLOCK_HEIGHT = 128
const MAX_PALETTE = 256

/** Every JPEG carries 600 bytes of tables: larger blocks then. */
const JPEG_BLOCK_WIDTH = 1024
const JPEG_BLOCK_HEIGHT = 512
/** Less than this is smaller without loss. */
const MIN_JPEG_PIXELS = 4096

/** A lossy encoder of true-colour blocks: returns a whole JPEG file of the block, valid until the next call. */
export type JpegEncoder = (
  source: PixelSource,
  x: number,
  y: number,
  width: number,
  height: number,
) => Uint8Array

/** rfbproto, Tight encoding. Lossless unless it is given a JPEG encoder for the rectangle. */
export class TightEncoder implements Encoder {
  /** Where set, blocks of many colours go through it. */
  jpeg: JpegEncoder | null = null
  /** Whether anything since the caller last cleared this was sent with loss. */
  lossy = false
  private readonly level: number
  private readonly streams: (DeflateStream | undefined)[] = []
  private readonly palette = new Palette()

  constructor(level: number) {
    this.level = level
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
    const mostWide = this.jpeg === null ? BLOCK_WIDTH : JPEG_BLOCK_WIDTH
    const mostHigh = this.jpeg === null ? BLOCK_HEIGHT : JPEG_BLOCK_HEIGHT
    for (let by = y; by < y + height; by += mostHigh) {
      const blockHeight = Math.min(mostHigh, y + height - by)
      for (let bx = x; bx < x + width; bx += mostWide) {
        this.block(source, bx, by, Math.min(mostWide, x + width - bx), blockHeight, format, out)
      }
    }
  }

  /** A rectangle of one colour, of any size, without looking at it. */
  fill(
    x: number,
    y: number,
    width: number,
    height: number,
    colour: number,
    format: PixelFormat,
    out: FrameWriter,
  ): void {
    out.rect(x, y, width, height, ENCODING.TIGHT)
    out.reserve(5)
    out.bytes[out.length++] = FILL_COMPRESSION
    out.length = format.writeTpixel(colour, out.bytes, out.length)
  }

  close(): void {
    for (const stream of this.streams) stream?.close()
  }

  private block(
    source: PixelSource,
    x: number,
    y: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: FrameWriter,
  ): void {
    const { palette } = this
    const offset = y * source.stride + x
    // A palette must cost less than it saves: an eighth of the block's pixels is still a good bargain.
    const limit = Math.max(2, Math.min(MAX_PALETTE, (width * height) >>> 3))
    const few = palette.collect(source.pixels, offset, source.stride, width, height, limit)
    if (few && palette.size === 1) {
      this.fill(x, y, width, height, palette.colours[0]!, format, out)
      return
    }
    out.rect(x, y, width, height, ENCODING.TIGHT)
    if (few && palette.size === 2) {
      this.header(STREAM_MONO, true, format, out)
      this.mono(source, offset, width, height, this.stream(STREAM_MONO).input)
      this.data(STREAM_MONO, out)
    } else if (few && format.bytesPerPixel > 1) {
      this.header(STREAM_INDEXED, true, format, out)
      this.indexed(source, offset, width, height, this.stream(STREAM_INDEXED).input)
      this.data(STREAM_INDEXED, out)
    } else if (this.jpeg !== null && !few && width * height >= MIN_JPEG_PIXELS) {
      this.lossy = true
      const file = this.jpeg(source, x, y, width, height)
      out.u8(JPEG_COMPRESSION)
      writeCompactLength(file.length, out)
      out.append(file)
    } else {
      this.header(STREAM_FULL, false, format, out)
      const { input } = this.stream(STREAM_FULL)
      input.reserve(width * height * 4)
      for (let row = 0; row < height; row++) {
        input.length = format.writeTpixels(
          source.pixels,
          offset + row * source.stride,
          width,
          input.bytes,
          input.length,
        )
      }
      this.data(STREAM_FULL, out)
    }
  }

  private stream(id: number): DeflateStream {
    this.streams[id] ??= new DeflateStream(this.level)
    return this.streams[id]!
  }

  private header(stream: number, withPalette: boolean, format: PixelFormat, out: FrameWriter): void {
    out.reserve(3 + MAX_PALETTE * 4)
    const { palette } = this
    out.bytes[out.length++] = (stream << 4) | (withPalette ? READ_FILTER_ID : 0)
    if (!withPalette) return
    out.bytes[out.length++] = PALETTE_FILTER
    out.bytes[out.length++] = palette.size - 1
    for (let i = 0; i < palette.size; i++) {
      out.length = format.writeTpixel(palette.colours[i]!, out.bytes, out.length)
    }
  }

  /** Moves a stream's input to the output, compressed when it is worth it. */
  private data(id: number, out: FrameWriter): void {
    const stream = this.stream(id)
    const { input } = stream
    if (input.length < MIN_TO_COMPRESS) {
      out.append(input.bytes.subarray(0, input.length))
      input.length = 0
      return
    }
    // The length comes first and has one to three bytes: leave three and close the gap afterwards.
    const lengthAt = out.length
    out.zeros(3)
    stream.flush(out)
    const length = out.length - lengthAt - 3
    const end = out.length
    out.length = lengthAt
    writeCompactLength(length, out)
    if (out.length < lengthAt + 3) out.bytes.copyWithin(out.length, lengthAt + 3, end)
    out.length += length
  }

  /** One bit a pixel, rows filled up to whole bytes, the most significant bit first. */
  private mono(source: PixelSource, offset: number, width: number, height: number, out: ByteWriter): void {
    out.reserve(((width + 7) >>> 3) * height)
    const { bytes } = out
    const zero = this.palette.colours[0]!
    for (let row = 0; row < height; row++) {
      let at = offset + row * source.stride
      const end = at + width
      while (at < end) {
        let byte = 0
        for (let bit = 0x80; bit !== 0 && at < end; bit >>>= 1, at++) {
          if (source.pixels[at] !== zero) byte |= bit
        }
        bytes[out.length++] = byte
      }
    }
  }

  private indexed(source: PixelSource, offset: number, width: number, height: number, out: ByteWriter): void {
    out.reserve(width * height)
    const { palette } = this
    const { bytes } = out
    let to = out.length
    let last = -1
    let index = 0
    for (let row = 0; row < height; row++) {
      let at = offset + row * source.stride
      for (const end = at + width; at < end; at++) {
        const pixel = source.pixels[at]!
        if (pixel !== last) {
          last = pixel
          index = palette.indexOf(pixel)
        }
        bytes[to++] = index
      }
    }
    out.length = to
  }
}

/** rfbproto, Tight: seven bits a byte, least significant first, at most 22 bits. */
function writeCompactLength(length: number, out: ByteWriter): void {
  out.reserve(3)
  if (length < 0x80) {
    out.bytes[out.length++] = length
  } else if (length < 0x4000) {
    out.bytes[out.length++] = (length & 0x7f) | 0x80
    out.bytes[out.length++] = length >>> 7
  } else {
    out.bytes[out.length++] = (length & 0x7f) | 0x80
    out.bytes[out.length++] = ((length >>> 7) & 0x7f) | 0x80
    out.bytes[out.length++] = length >>> 14
  }
}
