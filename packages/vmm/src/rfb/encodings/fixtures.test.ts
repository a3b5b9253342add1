import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, inflateSync } from 'node:zlib'
import { FrameWriter } from '../frame-writer.ts'
import { PixelFormat, serverPixelFormat } from '../pixel-format.ts'
import { novncPixelFormatFields } from '../testing/novnc.ts'
import { writeCopyRect } from './copyrect.ts'
import type { Encoder } from './encoder.ts'
import { HextileEncoder } from './hextile.ts'
import { RawEncoder } from './raw.ts'
import { TightEncoder } from './tight.ts'
import { ZrleEncoder } from './zrle.ts'

const R = 0xff0000
const G = 0x00ff00
const B = 0x0000ff

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const inflate = (bytes: Uint8Array): Buffer => inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })

/** Encodes a whole little picture given by its pixels; the 12 bytes of the rectangle's header are checked here. */
function encode(
  encoder: Encoder,
  encoding: number,
  width: number,
  pixels: number[],
  format = serverPixelFormat,
): Uint8Array {
  const height = pixels.length / width
  const out = new FrameWriter()
  encoder.encode({ pixels: Uint32Array.from(pixels), stride: width }, 0, 0, width, height, format, out)
  const bytes = new Uint8Array(out.take())
  const header = new DataView(bytes.buffer, 0, 12)
  assert.deepEqual([header.getUint16(4), header.getUint16(6), header.getInt32(8)], [width, height, encoding])
  return bytes.subarray(12)
}

test('a rectangle carries its place, size and encoding', () => {
  const out = new FrameWriter()
  out.begin()
  out.rect(1, 0x203, 4, 0x506, -239)
  out.rect(0, 0, 1, 1, 0)
  assert.equal(out.end(), true)
  assert.equal(hex(out.take()), '00000002' + '0001020300040506ffffff11' + '000000000001000100000000')
})

test('an update without rectangles is not sent', () => {
  const out = new FrameWriter()
  out.u8(2)
  out.begin()
  assert.equal(out.end(), false)
  assert.equal(hex(out.take()), '02')
})

test('raw: rows from left to right in the viewer’s format', () => {
  assert.equal(hex(encode(new RawEncoder(), 0, 2, [R, G, B, 0x102030])), '0000ff0000ff0000ff00000030201000')
  const novnc = new PixelFormat(novncPixelFormatFields)
  assert.equal(hex(encode(new RawEncoder(), 0, 2, [R, 0x102030], novnc)), 'ff00000010203000')
})

test('copyrect: the source’s corner', () => {
  const out = new FrameWriter()
  writeCopyRect(out, 10, 20, 30, 40, 5, 0x107)
  assert.equal(hex(out.take()), '000a0014001e00280000000100050107')
})

test('hextile: one colour is a background, two add a foreground, more are coloured', () => {
  assert.equal(hex(encode(new HextileEncoder(), 5, 4, Array(16).fill(R))), '020000ff00')
  const two = Array(32).fill(R)
  two[9] = two[10] = B
  assert.equal(hex(encode(new HextileEncoder(), 5, 8, two)), '0e' + '0000ff00' + 'ff000000' + '01' + '1110')
  const three = [...two]
  three[0] = G
  assert.equal(
    hex(encode(new HextileEncoder(), 5, 8, three)),
    '1a' + '0000ff00' + '02' + '00ff0000' + '0000' + 'ff000000' + '1110',
  )
})

test('hextile: the background carries over to the next tile, and a raw tile ends that', () => {
  const noise = Array.from({ length: 256 }, (_, i) => (i * 0x9e3779) & 0xffffff)
  const row = (tile: number[], y: number): number[] => tile.slice(y * 16, y * 16 + 16)
  const red = Array(256).fill(R)
  const strip: number[] = []
  for (let y = 0; y < 16; y++) strip.push(...row(red, y), ...row(red, y), ...row(noise, y), ...row(red, y))
  const bytes = encode(new HextileEncoder(), 5, 64, strip)
  assert.equal(hex(bytes.subarray(0, 7)), '020000ff00' + '00' + '01')
  assert.equal(hex(bytes.subarray(7 + 1024)), '020000ff00')
})

test('zrle: solid, packed palette, runs, raw', () => {
  const body = (width: number, pixels: number[]): string => {
    const bytes = encode(new ZrleEncoder(6), 16, width, pixels)
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
    assert.equal(length, bytes.length - 4)
    return hex(inflate(bytes.subarray(4)))
  }
  assert.equal(body(2, [R, R, R, R]), '01' + '0000ff')
  // Two colours: 1 bit a pixel, every row filled up to a byte, the first pixel in the highest bit.
  assert.equal(body(3, [R, B, R, B, B, R]), '02' + '0000ff' + 'ff0000' + '40' + 'c0')
  // Two colours in long runs: palette RLE; a run's length less one, in bytes of up to 255.
  const runs = [...Array(2000).fill(R), ...Array(47).fill(B), R]
  assert.equal(body(64, runs), `82${'0000ff'}${'ff0000'}80${'ff'.repeat(7)}d6812e00`)
  // Five colours, five pixels: no palette pays.
  assert.equal(body(5, [1, 2, 3, 4, 5]), '00' + '010000' + '020000' + '030000' + '040000' + '050000')
  // Plain RLE: many colours (more than a palette's 127) in runs.
  const many = Array.from({ length: 64 * 16 }, (_, i) => i >> 2)
  assert.equal(body(64, many).slice(0, 26), '80' + '00000003' + '01000003' + '02000003')
})

test('zrle: the second rectangle continues the first one’s stream', () => {
  const encoder = new ZrleEncoder(6)
  const first = encode(encoder, 16, 1, [R])
  const second = encode(encoder, 16, 1, [B])
  assert.equal(hex(inflate(Buffer.concat([first.subarray(4), second.subarray(4)]))), '010000ff' + '01ff0000')
})

test('tight: fill, mono, indexed, full colour', () => {
  const tight = (width: number, pixels: number[]): Uint8Array => encode(new TightEncoder(6), 7, width, pixels)
  assert.equal(hex(tight(2, [0x112233, 0x112233])), '80' + '112233')
  // Mono below 12 bytes goes without compression and length; stream 1 with a filter.
  assert.equal(
    hex(tight(8, [R, R, R, B, R, R, R, B, B, R, R, R, R, R, R, R])),
    '50' + '01' + '01' + 'ff0000' + '0000ff' + '11' + '80',
  )
  // Twelve bytes or more: compressed, with a compact length.
  const column = Array.from({ length: 8 * 16 }, (_, i) => (i % 8 === 0 ? B : R))
  const mono = tight(8, column)
  assert.equal(hex(mono.subarray(0, 9)), '50' + '01' + '01' + '0000ff' + 'ff0000')
  assert.equal(mono[9], mono.length - 10)
  assert.equal(hex(inflate(mono.subarray(10))), '7f'.repeat(16))
  // Three colours: one byte a pixel, stream 2.
  const three = Array.from({ length: 32 }, (_, i) => [R, G, B][i % 3]!)
  const indexed = tight(8, three)
  assert.equal(hex(indexed.subarray(0, 12)), '60' + '01' + '02' + 'ff0000' + '00ff00' + '0000ff')
  assert.equal(hex(inflate(indexed.subarray(13))), three.map((_, i) => `0${i % 3}`).join(''))
  // Full colour: stream 0, no filter, red green blue.
  const full = tight(
    4,
    Array.from({ length: 16 }, (_, i) => i * 0x010203),
  )
  assert.equal(full[0], 0)
  assert.equal(hex(inflate(full.subarray(2))).slice(0, 18), '000000' + '010203' + '020406')
})

test('tight: lengths of one, two and three bytes', () => {
  const noise = (width: number, height: number): number[] => {
    let state = 1
    return Array.from({ length: width * height }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 8
    })
  }
  for (const [width, height, bytes] of [
    [5, 4, 1],
    [40, 40, 2],
    [120, 100, 3],
  ] as const) {
    const body = encode(new TightEncoder(1), 7, width, noise(width, height))
    let length = 0
    for (let i = 0; i < bytes; i++) {
      assert.equal(body[1 + i]! >= 0x80, i < bytes - 1)
      length |= (i < 2 ? body[1 + i]! & 0x7f : body[1 + i]!) << (7 * i)
    }
    assert.equal(length, body.length - 1 - bytes)
    assert.equal(inflate(body.subarray(1 + bytes)).length, width * height * 3)
  }
})
