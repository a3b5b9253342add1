/**
 * Baseline JPEG (ITU-T T.81) for moving pictures: written for this one use, so that the display needs no native
 * library and a jailed process opens none. Colour goes at half the resolution in both directions up to quality 6;
 * what rests is sent again without loss anyway.
 */
import type { PixelSource } from './encoder.ts'
import {
  CHROMINANCE_AC,
  CHROMINANCE_DC,
  CHROMINANCE_QUANTISATION,
  type HuffmanTable,
  LUMINANCE_AC,
  LUMINANCE_DC,
  LUMINANCE_QUANTISATION,
  ZIGZAG,
} from './jpeg-tables.ts'
import type { JpegEncoder } from './tight.ts'

/** The viewer's levels 0 to 9 as the common 1 to 100. */
const QUALITIES = [15, 29, 41, 50, 62, 70, 79, 86, 92, 97]
const LAST_SUBSAMPLED = 6
/** AAN's scale factors (Arai, Agui, Nakajima): their part of the transform is done by the quantiser. */
const AAN = [1, 1.387039845, 1.306562965, 1.175875602, 1, 0.785694958, 0.5411961, 0.275899379]

/** Codes and their lengths by value. */
interface Codes {
  readonly code: Uint16Array
  readonly size: Uint8Array
}

/** T.81, Annex C. */
function codesOf(table: HuffmanTable): Codes {
  const code = new Uint16Array(256)
  const size = new Uint8Array(256)
  let next = 0
  let at = 0
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < table.counts[length - 1]!; i++) {
      const value = table.values[at++]!
      code[value] = next++
      size[value] = length
    }
    next <<= 1
  }
  return { code, size }
}

const lumaDc = codesOf(LUMINANCE_DC)
const lumaAc = codesOf(LUMINANCE_AC)
const chromaDc = codesOf(CHROMINANCE_DC)
const chromaAc = codesOf(CHROMINANCE_AC)

/** An encoder of a quality from 0 to 9. Its result is valid until its next call. */
export function createJpegEncoder(quality: number): JpegEncoder {
  const level = Math.min(9, Math.max(0, quality))
  const writer = new JpegWriter(QUALITIES[level]!, level <= LAST_SUBSAMPLED)
  return (source, x, y, width, height) => writer.encode(source, x, y, width, height)
}

class JpegWriter {
  private bytes = new Uint8Array(64 * 1024)
  private length = 0
  private bits = 0
  private bitCount = 0
  private readonly header: Uint8Array
  private readonly sizeAt: number
  private readonly subsampled: boolean
  /** Reciprocals of quantiser and AAN scale, in the block's own order. */
  private readonly lumaScale: Float64Array
  private readonly chromaScale: Float64Array
  private readonly block = new Float64Array(64)
  private readonly quantised = new Int32Array(64)
  /** One MCU's samples: 16 × 16 of each, or 8 × 8. */
  private readonly luma = new Float64Array(256)
  private readonly cb = new Float64Array(256)
  private readonly cr = new Float64Array(256)

  constructor(quality: number, subsampled: boolean) {
    this.subsampled = subsampled
    const luma = quantiser(LUMINANCE_QUANTISATION, quality)
    const chroma = quantiser(CHROMINANCE_QUANTISATION, quality)
    this.lumaScale = scales(luma)
    this.chromaScale = scales(chroma)
    const { header, sizeAt } = fileHeader(luma, chroma, subsampled)
    this.header = header
    this.sizeAt = sizeAt
  }

  encode(source: PixelSource, x: number, y: number, width: number, height: number): Uint8Array {
    // Twice as much as any picture takes that is worth a JPEG; the worst case of noise stays below it, too.
    const most = this.header.length + (width + 16) * (height + 16) * 6 + 16
    if (this.bytes.length < most) this.bytes = new Uint8Array(most)
    const { bytes, header, sizeAt } = this
    bytes.set(header)
    bytes[sizeAt] = height >>> 8
    bytes[sizeAt + 1] = height
    bytes[sizeAt + 2] = width >>> 8
    bytes[sizeAt + 3] = width
    this.length = header.length
    this.bits = 0
    this.bitCount = 0
    if (this.subsampled) this.scan420(source, x, y, width, height)
    else this.scan444(source, x, y, width, height)
    // T.81, F.1.2.3: the last byte is filled with ones.
    this.put(0x7f, 7)
    bytes[this.length++] = 0xff
    bytes[this.length++] = 0xd9
    return bytes.subarray(0, this.length)
  }

  private scan420(source: PixelSource, x: number, y: number, width: number, height: number): void {
    const { luma, cb, cr, block } = this
    let [dcY, dcB, dcR] = [0, 0, 0]
    for (let my = 0; my < height; my += 16) {
      for (let mx = 0; mx < width; mx += 16) {
        this.load(source, x, y, mx, my, width, height, 16)
        for (let part = 0; part < 4; part++) {
          const from = (part >> 1) * 128 + (part & 1) * 8
          for (let row = 0; row < 8; row++) {
            for (let i = 0; i < 8; i++) block[row * 8 + i] = luma[from + row * 16 + i]!
          }
          dcY = this.unit(this.lumaScale, lumaDc, lumaAc, dcY)
        }
        halve(cb, block)
        dcB = this.unit(this.chromaScale, chromaDc, chromaAc, dcB)
        halve(cr, block)
        dcR = this.unit(this.chromaScale, chromaDc, chromaAc, dcR)
      }
    }
  }

  private scan444(source: PixelSource, x: number, y: number, width: number, height: number): void {
    const { luma, cb, cr, block } = this
    let [dcY, dcB, dcR] = [0, 0, 0]
    for (let my = 0; my < height; my += 8) {
      for (let mx = 0; mx < width; mx += 8) {
        this.load(source, x, y, mx, my, width, height, 8)
        block.set(luma.subarray(0, 64))
        dcY = this.unit(this.lumaScale, lumaDc, lumaAc, dcY)
        block.set(cb.subarray(0, 64))
        dcB = this.unit(this.chromaScale, chromaDc, chromaAc, dcB)
        block.set(cr.subarray(0, 64))
        dcR = this.unit(this.chromaScale, chromaDc, chromaAc, dcR)
      }
    }
  }

  /** Samples of one MCU around 0 (JFIF's YCbCr); what lies beyond the picture repeats its border. */
  private load(
    source: PixelSource,
    x: number,
    y: number,
    mx: number,
    my: number,
    width: number,
    height: number,
    size: number,
  ): void {
    const { luma, cb, cr } = this
    const { pixels, stride } = source
    const lastX = width - 1 - mx
    const lastY = height - 1 - my
    let at = 0
    for (let row = 0; row < size; row++) {
      const line = (y + my + Math.min(row, lastY)) * stride + x + mx
      for (let i = 0; i < size; i++, at++) {
        const pixel = pixels[line + Math.min(i, lastX)]!
        const red = (pixel >>> 16) & 0xff
        const green = (pixel >>> 8) & 0xff
        const blue = pixel & 0xff
        luma[at] = 0.299 * red + 0.587 * green + 0.114 * blue - 128
        cb[at] = -0.168735892 * red - 0.331264108 * green + 0.5 * blue
        cr[at] = 0.5 * red - 0.418687589 * green - 0.081312411 * blue
      }
    }
  }

  /** Transforms, quantises and codes `block`; returns its DC for the next one's difference. */
  private unit(scale: Float64Array, dc: Codes, ac: Codes, lastDc: number): number {
    const { block, quantised } = this
    transform(block)
    let end = 0
    for (let k = 0; k < 64; k++) {
      const place = ZIGZAG[k]!
      // Rounds to the nearest, without a call.
      const value = ((block[place]! * scale[place]! + 16384.5) | 0) - 16384
      quantised[k] = value
      if (value !== 0) end = k
    }
    const difference = quantised[0]! - lastDc
    this.value(difference, 0, dc)
    let run = 0
    for (let k = 1; k <= end; k++) {
      const value = quantised[k]!
      if (value === 0) {
        run++
        continue
      }
      // F.1.2.2: sixteen zeros have a code of their own.
      for (; run > 15; run -= 16) this.put(ac.code[0xf0]!, ac.size[0xf0]!)
      this.value(value, run, ac)
      run = 0
    }
    if (end < 63) this.put(ac.code[0]!, ac.size[0]!)
    return quantised[0]!
  }

  /** A run of zeros and a value: their common code, then the value's own bits (F.1.2.1, F.1.2.2). */
  private value(value: number, run: number, codes: Codes): void {
    const magnitude = value < 0 ? -value : value
    const size = 32 - Math.clz32(magnitude)
    const symbol = (run << 4) | size
    this.put(codes.code[symbol]!, codes.size[symbol]!)
    if (size > 0) this.put((value < 0 ? value - 1 : value) & ((1 << size) - 1), size)
  }

  /** At most 16 bits. A byte of ones is followed by a zero byte (B.1.1.5). */
  private put(code: number, size: number): void {
    let bits = (this.bits << size) | code
    let count = this.bitCount + size
    while (count >= 8) {
      count -= 8
      const byte = (bits >>> count) & 0xff
      this.bytes[this.length++] = byte
      if (byte === 0xff) this.bytes[this.length++] = 0
    }
    bits &= (1 << count) - 1
    this.bits = bits
    this.bitCount = count
  }
}

/** Averages four samples to one: 16 × 16 to 8 × 8. */
function halve(samples: Float64Array, block: Float64Array): void {
  for (let row = 0, to = 0; row < 8; row++) {
    for (let i = 0, at = row * 32; i < 8; i++, at += 2, to++) {
      block[to] = (samples[at]! + samples[at + 1]! + samples[at + 16]! + samples[at + 17]!) * 0.25
    }
  }
}

/** The forward DCT in AAN's form, in place: rows, then columns. */
function transform(block: Float64Array): void {
  for (let at = 0; at < 64; at += 8) pass(block, at, 1)
  for (let at = 0; at < 8; at++) pass(block, at, 8)
}

function pass(block: Float64Array, at: number, step: number): void {
  const a0 = block[at]!
  const a1 = block[at + step]!
  const a2 = block[at + step * 2]!
  const a3 = block[at + step * 3]!
  const a4 = block[at + step * 4]!
  const a5 = block[at + step * 5]!
  const a6 = block[at + step * 6]!
  const a7 = block[at + step * 7]!
  const s07 = a0 + a7
  const d07 = a0 - a7
  const s16 = a1 + a6
  const d16 = a1 - a6
  const s25 = a2 + a5
  const d25 = a2 - a5
  const s34 = a3 + a4
  const d34 = a3 - a4
  // Even part.
  const e0 = s07 + s34
  const e3 = s07 - s34
  const e1 = s16 + s25
  const e2 = s16 - s25
  block[at] = e0 + e1
  block[at + step * 4] = e0 - e1
  const z1 = (e2 + e3) * Math.SQRT1_2
  block[at + step * 2] = e3 + z1
  block[at + step * 6] = e3 - z1
  // Odd part.
  const o0 = d34 + d25
  const o1 = d25 + d16
  const o2 = d16 + d07
  const z5 = (o0 - o2) * 0.382683433
  const z2 = 0.5411961 * o0 + z5
  const z4 = 1.306562965 * o2 + z5
  const z3 = o1 * Math.SQRT1_2
  const z11 = d07 + z3
  const z13 = d07 - z3
  block[at + step * 5] = z13 + z2
  block[at + step * 3] = z13 - z2
  block[at + step] = z11 + z4
  block[at + step * 7] = z11 - z4
}

/** The common scaling of Annex K's tables by a quality from 1 to 100. */
function quantiser(table: Uint8Array, quality: number): Uint8Array {
  const factor = quality < 50 ? 5000 / quality : 200 - quality * 2
  return table.map((value) => Math.min(255, Math.max(1, Math.floor((value * factor + 50) / 100))))
}

function scales(table: Uint8Array): Float64Array {
  return Float64Array.from(table, (value, i) => 1 / (value * AAN[i >> 3]! * AAN[i & 7]! * 8))
}

/** Everything before the coded data. `sizeAt` is where height and width go. */
function fileHeader(
  luma: Uint8Array,
  chroma: Uint8Array,
  subsampled: boolean,
): { header: Uint8Array; sizeAt: number } {
  const bytes: number[] = [0xff, 0xd8]
  const segment = (marker: number, content: readonly number[]): void => {
    bytes.push(0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 0xff, ...content)
  }
  // JFIF 1.01, no density, no thumbnail: says that colours are YCbCr.
  segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0])
  const zigzag = (table: Uint8Array): number[] => Array.from(ZIGZAG, (place) => table[place]!)
  segment(0xdb, [0, ...zigzag(luma), 1, ...zigzag(chroma)])
  const sizeAt = bytes.length + 5
  const sampling = subsampled ? 0x22 : 0x11
  segment(0xc0, [8, 0, 0, 0, 0, 3, 1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1])
  const tables: [number, HuffmanTable][] = [
    [0x00, LUMINANCE_DC],
    [0x10, LUMINANCE_AC],
    [0x01, CHROMINANCE_DC],
    [0x11, CHROMINANCE_AC],
  ]
  segment(
    0xc4,
    tables.flatMap(([id, table]) => [id, ...table.counts, ...table.values]),
  )
  segment(0xda, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])
  return { header: Uint8Array.from(bytes), sizeAt }
}
