import { CURSOR_SIZE } from '../display/surface.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { PixelFormat } from './pixel-format.ts'
import { ENCODING, PSEUDO } from './protocol.ts'

/** A cursor cut down to what can be seen of it and its hot spot. Pixels are 0xAARRGGBB, premultiplied. */
export interface CursorShape {
  readonly width: number
  readonly height: number
  readonly hotX: number
  readonly hotY: number
  readonly pixels: Uint32Array
}

export const invisible: CursorShape = { width: 0, height: 0, hotX: 0, hotY: 0, pixels: new Uint32Array(0) }

/** Cuts a 64 × 64 image: shapes go uncompressed, and most of them is empty. */
export function cropCursor(image: Uint32Array, hotX: number, hotY: number): CursorShape {
  const spotX = Math.min(hotX, CURSOR_SIZE - 1)
  const spotY = Math.min(hotY, CURSOR_SIZE - 1)
  let [left, top, right, bottom] = [spotX, spotY, spotX + 1, spotY + 1]
  let any = false
  for (let y = 0; y < CURSOR_SIZE; y++) {
    for (let x = 0; x < CURSOR_SIZE; x++) {
      if (image[y * CURSOR_SIZE + x]! >>> 24 === 0) continue
      any = true
      left = Math.min(left, x)
      right = Math.max(right, x + 1)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y + 1)
    }
  }
  if (!any) return invisible
  const width = right - left
  const height = bottom - top
  const pixels = new Uint32Array(width * height)
  for (let y = 0; y < height; y++) {
    const from = (top + y) * CURSOR_SIZE + left
    pixels.set(image.subarray(from, from + width), y * width)
  }
  return { width, height, hotX: spotX - left, hotY: spotY - top, pixels }
}

/** Which of the cursor pseudo-encodings a viewer gets, the best it listed; null when none. */
export function cursorEncoding(supports: (encoding: number) => boolean): number | null {
  // With transparency first; of those the standard one first.
  for (const encoding of [PSEUDO.CURSOR_WITH_ALPHA, PSEUDO.VMWARE_CURSOR, PSEUDO.CURSOR]) {
    if (supports(encoding)) return encoding
  }
  return null
}

export function writeCursor(
  shape: CursorShape,
  encoding: number,
  format: PixelFormat,
  out: FrameWriter,
): void {
  const { width, height, pixels } = shape
  out.rect(shape.hotX, shape.hotY, width, height, encoding)
  switch (encoding) {
    case PSEUDO.CURSOR_WITH_ALPHA:
      // rfbproto: an encoding, then RGBA with premultiplied colours in it.
      out.u32(ENCODING.RAW)
      out.reserve(pixels.length * 4)
      for (const pixel of pixels) writeRgba(out, pixel, pixel >>> 16, pixel >>> 8, pixel)
      return
    case PSEUDO.VMWARE_CURSOR:
      // Type 1, alpha cursor; a byte of padding; RGBA with plain colours.
      out.u8(1)
      out.u8(0)
      out.reserve(pixels.length * 4)
      for (const pixel of pixels) {
        const alpha = pixel >>> 24
        writeRgba(out, pixel, plain(pixel >>> 16, alpha), plain(pixel >>> 8, alpha), plain(pixel, alpha))
      }
      return
    default:
      writeMasked(shape, format, out)
  }
}

/** RFC 6143, 7.8.1: pixels in the viewer's format, then a bit mask of what is opaque. */
function writeMasked(shape: CursorShape, format: PixelFormat, out: FrameWriter): void {
  const { width, height, pixels } = shape
  out.reserve(pixels.length * format.bytesPerPixel + ((width + 7) >>> 3) * height)
  for (const pixel of pixels) {
    const alpha = pixel >>> 24
    const colour = (plain(pixel >>> 16, alpha) << 16) | (plain(pixel >>> 8, alpha) << 8) | plain(pixel, alpha)
    out.length = format.writePixel(colour, out.bytes, out.length)
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += 8) {
      let byte = 0
      for (let bit = 0; bit < 8 && x + bit < width; bit++) {
        if (pixels[y * width + x + bit]! >>> 24 >= 128) byte |= 0x80 >>> bit
      }
      out.bytes[out.length++] = byte
    }
  }
}

function writeRgba(out: FrameWriter, pixel: number, red: number, green: number, blue: number): void {
  out.bytes[out.length++] = red
  out.bytes[out.length++] = green
  out.bytes[out.length++] = blue
  out.bytes[out.length++] = pixel >>> 24
}

/** A colour value without its premultiplied alpha. A guest may send nonsense above its alpha. */
function plain(value: number, alpha: number): number {
  if (alpha === 0) return 0
  return Math.min(255, Math.round(((value & 0xff) * 255) / alpha))
}
