import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PixelFormat, type PixelFormatFields, serverPixelFormat } from './pixel-format.ts'

const base: PixelFormatFields = serverPixelFormat.fields

function pixel(fields: Partial<PixelFormatFields>, value: number): string {
  const format = new PixelFormat({ ...base, ...fields })
  const bytes = new Uint8Array(16)
  const end = format.writePixels(Uint32Array.of(value), 0, 1, bytes, 0)
  assert.equal(end, format.bytesPerPixel)
  return Buffer.from(bytes.subarray(0, end)).toString('hex')
}

test('32, 16 and 8 bits, both byte orders', () => {
  assert.equal(pixel({}, 0x123456), '56341200')
  assert.equal(pixel({ bigEndian: true }, 0x123456), '00123456')
  assert.equal(pixel({ redShift: 0, blueShift: 16 }, 0x123456), '12345600')
  assert.equal(pixel({ redShift: 24, greenShift: 16, blueShift: 8 }, 0x123456), '00563412')
  assert.equal(pixel({ redShift: 24, greenShift: 16, blueShift: 8, bigEndian: true }, 0x123456), '12345600')
  const rgb565 = {
    bitsPerPixel: 16,
    depth: 16,
    redMax: 31,
    greenMax: 63,
    blueMax: 31,
    redShift: 11,
    greenShift: 5,
    blueShift: 0,
  }
  assert.equal(pixel(rgb565, 0xff0000), '00f8')
  assert.equal(pixel({ ...rgb565, bigEndian: true }, 0xff0000), 'f800')
  assert.equal(pixel(rgb565, 0x00ff00), 'e007')
  const bgr233 = {
    bitsPerPixel: 8,
    depth: 8,
    redMax: 7,
    greenMax: 7,
    blueMax: 3,
    redShift: 0,
    greenShift: 3,
    blueShift: 6,
  }
  assert.equal(pixel(bgr233, 0xff0000), '07')
  assert.equal(pixel(bgr233, 0x0000ff), 'c0')
})

test('deep colour: ten bits a channel, values scaled up', () => {
  const deep = { depth: 30, redMax: 1023, greenMax: 1023, blueMax: 1023, redShift: 20, greenShift: 10 }
  assert.equal(pixel(deep, 0xffffff), 'ffffff3f')
})

test('a CPIXEL drops the byte without colour, whichever it is', () => {
  const cases = [
    [{}, '563412'],
    [{ bigEndian: true }, '123456'],
    [{ redShift: 24, greenShift: 16, blueShift: 8 }, '563412'],
    [{ redShift: 24, greenShift: 16, blueShift: 8, bigEndian: true }, '123456'],
    [{ redShift: 0, blueShift: 16 }, '123456'],
    // A depth above 24 has no spare byte.
    [{ depth: 32 }, '56341200'],
  ] as const
  for (const [fields, expected] of cases) {
    const format = new PixelFormat({ ...base, ...fields })
    const one = new Uint8Array(4)
    const many = new Uint8Array(4)
    assert.equal(format.writeCpixel(0x123456, one, 0), expected.length / 2)
    format.writeCpixels(Uint32Array.of(0x123456), 0, 1, many, 0)
    for (const bytes of [one, many]) {
      assert.equal(Buffer.from(bytes.subarray(0, format.cpixelBytes)).toString('hex'), expected)
    }
  }
})

test('a TPIXEL is red, green, blue in every 8-bit-a-channel format', () => {
  for (const fields of [{}, { bigEndian: true }, { redShift: 0, blueShift: 16 }]) {
    const bytes = new Uint8Array(3)
    new PixelFormat({ ...base, ...fields }).writeTpixel(0x123456, bytes, 0)
    assert.equal(Buffer.from(bytes).toString('hex'), '123456')
  }
})

test('formats that make no sense are refused', () => {
  const parse = (change: Partial<PixelFormatFields>): PixelFormat | null => {
    const f = { ...base, ...change }
    const view = new DataView(new ArrayBuffer(16))
    view.setUint8(0, f.bitsPerPixel)
    view.setUint8(1, f.depth)
    view.setUint8(2, f.bigEndian ? 1 : 0)
    view.setUint8(3, f.trueColour ? 1 : 0)
    view.setUint16(4, f.redMax)
    view.setUint16(6, f.greenMax)
    view.setUint16(8, f.blueMax)
    view.setUint8(10, f.redShift)
    view.setUint8(11, f.greenShift)
    view.setUint8(12, f.blueShift)
    return PixelFormat.parse(view, 0)
  }
  assert.deepEqual(parse({})?.fields, base)
  for (const change of [
    { trueColour: false },
    { bitsPerPixel: 24 },
    { bitsPerPixel: 0 },
    { redMax: 0 },
    { greenMax: 254 },
    { blueShift: 25 },
    { bitsPerPixel: 8 },
    { redShift: 255 },
  ]) {
    assert.equal(parse(change), null, JSON.stringify(change))
  }
})
