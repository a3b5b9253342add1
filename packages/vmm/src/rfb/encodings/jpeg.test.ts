import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { FrameWriter } from '../frame-writer.ts'
import { serverPixelFormat } from '../pixel-format.ts'
import { blank, Random, type TestPicture } from '../testing/pictures.ts'
import { createJpegEncoder } from './jpeg.ts'
import { CHROMINANCE_AC, LUMINANCE_AC } from './jpeg-tables.ts'
import { TightEncoder } from './tight.ts'

/** Something like a photograph: slopes, waves and a little noise. */
function photograph(width: number, height: number): TestPicture {
  const random = new Random(3)
  const picture = blank(width, height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const red = 128 + 90 * Math.sin(x / 23) + random.below(5)
      const green = (255 * y) / height
      const blue = 128 + 60 * Math.cos((x + y) / 37) + random.below(5)
      picture.pixels[y * width + x] = (red << 16) | (green << 8) | blue
    }
  }
  return picture
}

/** Mean and largest difference of a channel between the picture and what libjpeg makes of the file. */
async function error(picture: TestPicture, file: Uint8Array): Promise<{ mean: number; most: number }> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
  assert.deepEqual([info.width, info.height, info.channels], [picture.width, picture.height, 3])
  let sum = 0
  let most = 0
  for (const [i, pixel] of picture.pixels.entries()) {
    for (const [c, shift] of [16, 8, 0].entries()) {
      const difference = Math.abs(data[i * 3 + c]! - ((pixel >>> shift) & 255))
      sum += difference
      most = Math.max(most, difference)
    }
  }
  return { mean: sum / picture.pixels.length / 3, most }
}

test('the tables have as many values as codes', () => {
  for (const table of [LUMINANCE_AC, CHROMINANCE_AC]) {
    assert.equal(table.values.length, 162)
    assert.equal(
      table.counts.reduce((a, b) => a + b),
      162,
    )
    assert.equal(new Set(table.values).size, 162)
  }
})

test('libjpeg decodes what we encode, closer with every quality', async () => {
  const picture = photograph(200, 120)
  let lastSize = 0
  let lastMean = Number.POSITIVE_INFINITY
  for (const quality of [0, 2, 4, 6, 8, 9]) {
    const file = createJpegEncoder(quality)(picture, 0, 0, 200, 120)
    const { mean } = await error(picture, file)
    assert.ok(file.length > lastSize && mean < lastMean, `quality ${quality}: ${file.length} bytes, ${mean}`)
    lastSize = file.length
    lastMean = mean
  }
  assert.ok(lastMean < 2, `the best is ${lastMean} off`)
})

test('sizes that are no multiple of a block, down to one pixel', async () => {
  // Three steep rows at half the colour resolution are off by more: that is the format's, not ours.
  for (const [quality, limit] of [
    [6, 20],
    [9, 6],
  ] as const) {
    const encoder = createJpegEncoder(quality)
    for (const [width, height] of [
      [1, 1],
      [7, 9],
      [16, 16],
      [17, 33],
      [250, 3],
    ] as const) {
      const { mean } = await error(
        photograph(width, height),
        encoder(photograph(width, height), 0, 0, width, height),
      )
      assert.ok(mean < limit, `quality ${quality}, ${width}×${height}: ${mean}`)
    }
  }
})

test('hard edges, noise and plain colours survive', async () => {
  const encoder = createJpegEncoder(9)
  const random = new Random(5)
  const noise = blank(64, 64)
  noise.pixels.forEach((_, i) => {
    noise.pixels[i] = random.below(0x1000000)
  })
  assert.ok((await error(noise, encoder(noise, 0, 0, 64, 64))).mean < 6)
  for (const colour of [0, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff]) {
    const plain = blank(40, 40)
    plain.pixels.fill(colour)
    assert.ok((await error(plain, encoder(plain, 0, 0, 40, 40))).most <= 3, colour.toString(16))
  }
})

test('a part of a larger picture', async () => {
  const whole = photograph(100, 80)
  const part = blank(40, 30)
  for (let y = 0; y < 30; y++) {
    part.pixels.set(whole.pixels.subarray((20 + y) * 100 + 10, (20 + y) * 100 + 50), y * 40)
  }
  assert.ok((await error(part, createJpegEncoder(8)(whole, 10, 20, 40, 30))).mean < 3)
})

test('tight sends JPEG only where it is told to, and says so', async () => {
  const picture = photograph(300, 200)
  const encoder = new TightEncoder(2)
  const out = new FrameWriter()
  encoder.encode(picture, 0, 0, 300, 200, serverPixelFormat, out)
  assert.equal(encoder.lossy, false)
  out.length = 0
  encoder.jpeg = createJpegEncoder(6)
  encoder.encode(picture, 0, 0, 300, 200, serverPixelFormat, out)
  assert.equal(encoder.lossy, true)
  const bytes = out.take()
  assert.equal(bytes[12], 0x90)
  const length = (bytes[13]! & 0x7f) | ((bytes[14]! & 0x7f) << 7)
  assert.ok((bytes[14]! & 0x80) === 0)
  assert.ok((await error(picture, bytes.subarray(15, 15 + length))).mean < 6)
  encoder.close()
})
