import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameWriter } from '../frame-writer.ts'
import { PixelFormat } from '../pixel-format.ts'
import { NovncClient, novncPixelFormatFields } from '../testing/novnc.ts'
import { anyRect, blank, Random, scribble } from '../testing/pictures.ts'
import type { Encoder } from './encoder.ts'
import { HextileEncoder } from './hextile.ts'
import { RawEncoder } from './raw.ts'
import { TightEncoder } from './tight.ts'
import { ZrleEncoder } from './zrle.ts'

const format = new PixelFormat(novncPixelFormatFields)
const encoders: Record<string, () => Encoder> = {
  raw: () => new RawEncoder(),
  hextile: () => new HextileEncoder(),
  zrle: () => new ZrleEncoder(1),
  tight: () => new TightEncoder(2),
}

for (const [name, create] of Object.entries(encoders)) {
  test(`${name}: what noVNC decodes from random damage of random pictures is the picture`, async () => {
    const random = new Random(0x5eed)
    const [width, height] = [333, 217]
    const picture = blank(width, height)
    const client = await NovncClient.create(width, height)
    const encoder = create()
    const out = new FrameWriter()
    for (let round = 0; round < 120; round++) {
      const rect = anyRect(random, width, height)
      scribble(picture, random, rect.x, rect.y, rect.width, rect.height)
      encoder.encode(picture, rect.x, rect.y, rect.width, rect.height, format, out)
      client.decode(out.take())
      assert.deepEqual(client.picture.pixels, picture.pixels, `round ${round}, ${JSON.stringify(rect)}`)
    }
    encoder.close()
  })

  test(`${name}: pictures as narrow and as low as one pixel`, async () => {
    const random = new Random(7)
    const picture = blank(130, 130)
    const client = await NovncClient.create(130, 130)
    const encoder = create()
    const out = new FrameWriter()
    for (const [w, h] of [
      [1, 1],
      [1, 130],
      [130, 1],
      [3, 1],
      [2, 2],
      [65, 63],
      [17, 15],
    ] as const) {
      for (let kind = 0; kind < 12; kind++) {
        scribble(picture, random, 0, 0, w, h)
        encoder.encode(picture, 0, 0, w, h, format, out)
        client.decode(out.take())
        assert.deepEqual(client.picture.pixels, picture.pixels, `${w}×${h}`)
      }
    }
    encoder.close()
  })
}

test('tight: levels 1 to 9 and a fill larger than any block', async () => {
  const random = new Random(99)
  for (let level = 1; level <= 9; level++) {
    const picture = blank(600, 300)
    const client = await NovncClient.create(600, 300)
    const encoder = new TightEncoder(level)
    const out = new FrameWriter()
    picture.pixels.fill(0x123456)
    encoder.fill(0, 0, 600, 300, 0x123456, format, out)
    scribble(picture, random, 10, 10, 500, 200)
    encoder.encode(picture, 10, 10, 500, 200, format, out)
    client.decode(out.take())
    assert.deepEqual(client.picture.pixels, picture.pixels, `level ${level}`)
    encoder.close()
  }
})
