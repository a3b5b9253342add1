/** RFC 6143, section 7.4: PIXEL_FORMAT is 16 bytes. */
export const PIXEL_FORMAT_BYTES = 16

export interface PixelFormatFields {
  readonly bitsPerPixel: number
  readonly depth: number
  readonly bigEndian: boolean
  readonly trueColour: boolean
  readonly redMax: number
  readonly greenMax: number
  readonly blueMax: number
  readonly redShift: number
  readonly greenShift: number
  readonly blueShift: number
}

/** How pixels become bytes without the general table. */
type Layout = 'xrgb' | 'xbgr' | 'table'

/**
 * A viewer's pixel format. Our pixels are 0x00RRGGBB; `store` turns one into the number whose little-endian bytes
 * are what goes on the wire, whatever the viewer's byte order.
 */
export class PixelFormat {
  readonly fields: PixelFormatFields
  readonly bytesPerPixel: number
  /** RFC 6143, 7.7.5: a CPIXEL leaves out the byte that carries no colour. */
  readonly cpixelBytes: number
  /** The TIGHT encoding's TPIXEL: three bytes red, green, blue when the format has 8 bits of each in 32. */
  readonly compactTight: boolean
  private readonly cpixelShift: number
  private readonly layout: Layout
  private readonly red = new Uint32Array(256)
  private readonly green = new Uint32Array(256)
  private readonly blue = new Uint32Array(256)

  constructor(fields: PixelFormatFields) {
    this.fields = fields
    this.bytesPerPixel = fields.bitsPerPixel / 8
    this.fill(this.red, fields.redMax, fields.redShift)
    this.fill(this.green, fields.greenMax, fields.greenShift)
    this.fill(this.blue, fields.blueMax, fields.blueShift)
    const { bitsPerPixel, depth, bigEndian } = fields
    const used =
      fields.redMax * 2 ** fields.redShift +
      fields.greenMax * 2 ** fields.greenShift +
      fields.blueMax * 2 ** fields.blueShift
    const low = used < 0x100_0000
    const high = used % 0x100 === 0
    const compact = bitsPerPixel === 32 && depth <= 24 && (low || high)
    this.cpixelBytes = compact ? 3 : this.bytesPerPixel
    this.cpixelShift = compact && low === bigEndian ? 8 : 0
    const eightBits = fields.redMax === 255 && fields.greenMax === 255 && fields.blueMax === 255
    this.compactTight = bitsPerPixel === 32 && depth === 24 && eightBits
    this.layout = 'table'
    if (this.red[255] === 0xff_0000 && this.green[255] === 0xff00 && this.blue[255] === 0xff) {
      if (bitsPerPixel === 32) this.layout = 'xrgb'
    } else if (this.red[255] === 0xff && this.green[255] === 0xff00 && this.blue[255] === 0xff_0000) {
      if (bitsPerPixel === 32) this.layout = 'xbgr'
    }
  }

  /** Reads PIXEL_FORMAT; null when it is no true-colour format that makes sense. */
  static parse(view: DataView, at: number): PixelFormat | null {
    const fields: PixelFormatFields = {
      bitsPerPixel: view.getUint8(at),
      depth: view.getUint8(at + 1),
      bigEndian: view.getUint8(at + 2) !== 0,
      trueColour: view.getUint8(at + 3) !== 0,
      redMax: view.getUint16(at + 4),
      greenMax: view.getUint16(at + 6),
      blueMax: view.getUint16(at + 8),
      redShift: view.getUint8(at + 10),
      greenShift: view.getUint8(at + 11),
      blueShift: view.getUint8(at + 12),
    }
    if (!fields.trueColour) return null
    if (![8, 16, 32].includes(fields.bitsPerPixel)) return null
    const channels = [
      [fields.redMax, fields.redShift],
      [fields.greenMax, fields.greenShift],
      [fields.blueMax, fields.blueShift],
    ] as const
    for (const [max, shift] of channels) {
      if (max === 0 || (max & (max + 1)) !== 0) return null
      if (shift + Math.log2(max + 1) > fields.bitsPerPixel) return null
    }
    return new PixelFormat(fields)
  }

  /** The number whose little-endian bytes are the pixel as this viewer wants it. */
  store(pixel: number): number {
    return this.red[(pixel >>> 16) & 0xff]! | this.green[(pixel >>> 8) & 0xff]! | this.blue[pixel & 0xff]!
  }

  /** The same for a CPIXEL, of which the low `cpixelBytes` bytes count. */
  storeCpixel(pixel: number): number {
    return this.store(pixel) >>> this.cpixelShift
  }

  /** Writes one PIXEL at `at`; returns the offset behind it. */
  writePixel(pixel: number, target: Uint8Array, at: number): number {
    return writeLow(this.store(pixel), this.bytesPerPixel, target, at)
  }

  writeCpixel(pixel: number, target: Uint8Array, at: number): number {
    return writeLow(this.storeCpixel(pixel), this.cpixelBytes, target, at)
  }

  /** One TPIXEL of the TIGHT encoding. */
  writeTpixel(pixel: number, target: Uint8Array, at: number): number {
    if (!this.compactTight) return this.writePixel(pixel, target, at)
    target[at] = pixel >>> 16
    target[at + 1] = pixel >>> 8
    target[at + 2] = pixel
    return at + 3
  }

  /** Writes `count` PIXELs of `source` from `from` on; returns the offset behind them. */
  writePixels(source: Uint32Array, from: number, count: number, target: Uint8Array, at: number): number {
    const end = from + count
    let to = at
    if (this.layout === 'xrgb') {
      for (let i = from; i < end; i++, to += 4) {
        const pixel = source[i]!
        target[to] = pixel
        target[to + 1] = pixel >>> 8
        target[to + 2] = pixel >>> 16
        target[to + 3] = 0
      }
      return to
    }
    if (this.layout === 'xbgr') {
      for (let i = from; i < end; i++, to += 4) {
        const pixel = source[i]!
        target[to] = pixel >>> 16
        target[to + 1] = pixel >>> 8
        target[to + 2] = pixel
        target[to + 3] = 0
      }
      return to
    }
    for (let i = from; i < end; i++) to = this.writePixel(source[i]!, target, to)
    return to
  }

  writeCpixels(source: Uint32Array, from: number, count: number, target: Uint8Array, at: number): number {
    const end = from + count
    let to = at
    if (this.cpixelBytes === 3 && this.cpixelShift === 0 && this.layout !== 'table') {
      const swap = this.layout === 'xbgr'
      for (let i = from; i < end; i++, to += 3) {
        const pixel = source[i]!
        target[to] = swap ? pixel >>> 16 : pixel
        target[to + 1] = pixel >>> 8
        target[to + 2] = swap ? pixel : pixel >>> 16
      }
      return to
    }
    for (let i = from; i < end; i++) to = this.writeCpixel(source[i]!, target, to)
    return to
  }

  writeTpixels(source: Uint32Array, from: number, count: number, target: Uint8Array, at: number): number {
    if (!this.compactTight) return this.writePixels(source, from, count, target, at)
    const end = from + count
    let to = at
    for (let i = from; i < end; i++, to += 3) {
      const pixel = source[i]!
      target[to] = pixel >>> 16
      target[to + 1] = pixel >>> 8
      target[to + 2] = pixel
    }
    return to
  }

  private fill(table: Uint32Array, max: number, shift: number): void {
    const { bitsPerPixel, bigEndian } = this.fields
    for (let value = 0; value < 256; value++) {
      const scaled = (Math.round((value * max) / 255) << shift) >>> 0
      // Swapping the parts swaps their sum: the byte order costs nothing per pixel.
      table[value] = bigEndian ? swapBytes(scaled, bitsPerPixel) : scaled
    }
  }
}

function writeLow(value: number, bytes: number, target: Uint8Array, at: number): number {
  for (let i = 0; i < bytes; i++) target[at + i] = value >>> (8 * i)
  return at + bytes
}

function swapBytes(value: number, bits: number): number {
  if (bits === 8) return value
  if (bits === 16) return ((value & 0xff) << 8) | (value >>> 8)
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0
}

/** What ServerInit offers: our own pixels as they are. */
export const serverPixelFormat = new PixelFormat({
  bitsPerPixel: 32,
  depth: 24,
  bigEndian: false,
  trueColour: true,
  redMax: 255,
  greenMax: 255,
  blueMax: 255,
  redShift: 16,
  greenShift: 8,
  blueShift: 0,
})
