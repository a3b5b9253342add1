import type { FrameWriter } from '../frame-writer.ts'
import type { PixelFormat } from '../pixel-format.ts'
import { ENCODING } from '../protocol.ts'
import type { Encoder, PixelSource } from './encoder.ts'

/** RFC 6143, 7.7.1: the pixels as they are. */
export class RawEncoder implements Encoder {
  encode(
    source: PixelSource,
    x: number,
    y: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: FrameWriter,
  ): void {
    out.rect(x, y, width, height, ENCODING.RAW)
    out.reserve(width * height * format.bytesPerPixel)
    for (let row = y; row < y + height; row++) {
      out.length = format.writePixels(source.pixels, row * source.stride + x, width, out.bytes, out.length)
    }
  }

  close(): void {}
}
