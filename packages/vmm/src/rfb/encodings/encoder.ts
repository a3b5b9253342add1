import type { FrameWriter } from '../frame-writer.ts'
import type { PixelFormat } from '../pixel-format.ts'

/** What an encoder reads: pixels 0x00RRGGBB in rows of `stride`, not changing while it runs. */
export interface PixelSource {
  readonly pixels: Uint32Array
  readonly stride: number
}

/**
 * One RFB encoding of one viewer. Encoders that compress keep a stream that both sides carry on through the whole
 * connection, so an encoder is made once per viewer and every rectangle it encodes must be sent, in order.
 */
export interface Encoder {
  /** Appends one or more rectangles that together show the given one. Width and height are at least 1. */
  encode(
    source: PixelSource,
    x: number,
    y: number,
    width: number,
    height: number,
    format: PixelFormat,
    out: FrameWriter,
  ): void
  close(): void
}
