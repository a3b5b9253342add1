import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeRects } from '../display/coalesce.ts'
import { Picture, ViewerDamage } from '../display/picture.ts'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from '../display/surface.ts'
import { GRID_COLUMNS, TileSet } from '../display/tiles.ts'
import { Composer } from './composer.ts'
import { createJpegEncoder } from './encodings/jpeg.ts'
import { FrameWriter } from './frame-writer.ts'
import { PixelFormat } from './pixel-format.ts'
import { ENCODING, PSEUDO } from './protocol.ts'
import { NovncClient, novncPixelFormatFields } from './testing/novnc.ts'
import { Random } from './testing/pictures.ts'

const WIDTH = 320
const HEIGHT = 240
const format = new PixelFormat(novncPixelFormatFields)

class Bench {
  readonly surface = new Surface(createSurfaceMemory())
  readonly picture = new Picture()
  readonly damage = new ViewerDamage()
  readonly composer = new Composer(createJpegEncoder)
  readonly out = new FrameWriter()
  readonly random = new Random(9)
  client!: NovncClient

  static async create(...encodings: number[]): Promise<Bench> {
    const bench = new Bench()
    bench.surface.resize(WIDTH, HEIGHT)
    bench.composer.setEncodings(Int32Array.from(encodings))
    bench.client = await NovncClient.create(WIDTH, HEIGHT)
    return bench
  }

  noise(x: number, y: number, width: number, height: number): void {
    for (let row = y; row < y + height; row++) {
      for (let i = x; i < x + width; i++)
        this.surface.pixels[row * SURFACE_STRIDE + i] = this.random.below(1 << 24)
    }
    this.surface.damage(x, y, width, height)
  }

  /** One update at `now`; returns its bytes. */
  update(now: number, budget = 1 << 24): number {
    if (this.picture.update(this.surface, now)) this.damage.follow(this.picture)
    this.damage.refine(this.picture)
    this.out.begin()
    const options = { budget, slow: false, now, width: WIDTH, height: HEIGHT }
    this.composer.compose(this.picture, this.damage, format, this.out, options)
    if (!this.out.end()) return 0
    const bytes = this.out.take()
    this.client.decode(bytes.subarray(4))
    return bytes.length
  }

  get exact(): boolean {
    const { pixels, stride } = this.picture
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        if (this.client.picture.pixels[y * WIDTH + x] !== pixels[y * stride + x]) return false
      }
    }
    return true
  }
}

test('rectangles: as wide as the first row, then as high; a stop leaves the rest', () => {
  const tiles = new TileSet()
  tiles.addRect(0, 0, 64, 32)
  tiles.addRect(16, 32, 16, 16)
  const all = new TileSet()
  all.addAll(tiles)
  const rects: string[] = []
  takeRects(tiles, (column, row, columns, rows) => {
    rects.push(`${column},${row} ${columns}×${rows}`)
    return true
  })
  assert.deepEqual(rects, ['0,0 4×2', '1,2 1×1'])
  assert.equal(tiles.empty, true)
  takeRects(all, () => false)
  assert.deepEqual([all.size, all.has(2 * GRID_COLUMNS + 1)], [1, true])
})

test('a picture that moves goes as JPEG, and exactly when it rests; what stands still is exact at once', async () => {
  const bench = await Bench.create(ENCODING.TIGHT, PSEUDO.JPEG_QUALITY_0 + 6)
  bench.noise(0, 0, WIDTH, HEIGHT)
  bench.update(0)
  assert.equal(bench.client.picture.images.length, 0, 'the first picture is exact')
  assert.ok(bench.exact)
  let now = 0
  for (let frame = 0; frame < 30; frame++) {
    now += 33
    bench.noise(0, 0, 160, 160)
    bench.update(now)
  }
  const { images } = bench.client.picture
  assert.ok(images.length > 10)
  assert.ok(images.every((image) => image.x + image.width <= 160 && image.y + image.height <= 160))
  assert.ok(bench.damage.lossy.size > 0)
  const count = images.length
  assert.equal(bench.update(now + 100), 0, 'not yet at rest')
  assert.ok(bench.update(now + 400) > 0)
  assert.equal(images.length, count)
  assert.equal(bench.damage.lossy.empty, true)
  assert.ok(bench.exact)
  assert.equal(bench.update(now + 1000), 0)
})

test('without a quality level nothing is ever lost', async () => {
  const bench = await Bench.create(ENCODING.TIGHT)
  for (let frame = 0; frame < 30; frame++) {
    bench.noise(0, 0, WIDTH, HEIGHT)
    bench.update(frame * 20)
    assert.ok(bench.exact)
  }
})

test('a small budget sends the picture in parts, the lower ones not left behind', async () => {
  for (const encoding of [ENCODING.TIGHT, ENCODING.ZRLE, ENCODING.RAW, ENCODING.HEXTILE]) {
    const bench = await Bench.create(encoding)
    bench.noise(0, 0, WIDTH, HEIGHT)
    let rounds = 0
    for (; !bench.damage.dirty.empty || rounds === 0; rounds++) {
      bench.update(rounds * 20, 20_000)
      // The top keeps changing: the bottom gets its turn all the same.
      if (rounds < 8) bench.noise(0, 0, WIDTH, 32)
      assert.ok(rounds < 100)
    }
    assert.ok(bench.exact, `encoding ${encoding}`)
  }
})

test('large areas of one colour cost a few bytes each', async () => {
  const bench = await Bench.create(ENCODING.TIGHT)
  bench.surface.damage(0, 0, WIDTH, HEIGHT)
  assert.equal(bench.update(0), 4 + 12 + 1 + 3)
  assert.ok(bench.exact)
})
