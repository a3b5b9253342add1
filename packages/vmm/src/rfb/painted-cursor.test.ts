import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from '../display/surface.ts'
import { ENCODING, PSEUDO } from './protocol.ts'
import { RfbServer } from './server.ts'
import { TestClient } from './testing/client.ts'
import { anyRect, blank, Random, scribble, type TestPicture } from './testing/pictures.ts'

const [WIDTH, HEIGHT] = [400, 300]
const HOT = { x: 3, y: 5 }

function serve(t: TestContext): { surface: Surface; viewer(...encodings: number[]): Promise<TestClient> } {
  const surface = new Surface(createSurfaceMemory())
  surface.resize(WIDTH, HEIGHT)
  const input = { key() {}, keysym() {}, pointer() {}, wheel() {} }
  const server = new RfbServer({ surface, name: 'cursor', input, clipboard() {}, resize() {} })
  // Keeps the test's thread alive while only waitAsync is pending, as sockets do for the real one.
  const alive = setInterval(() => {}, 60_000)
  t.after(() => {
    server.close()
    clearInterval(alive)
  })
  return {
    surface,
    async viewer(...encodings) {
      const [ours, theirs] = duplexPair()
      server.attach(ours, { id: `v${server.list().length}`, viewOnly: true })
      const client = new TestClient(theirs)
      await client.connect()
      client.setEncodings(...encodings)
      return client
    },
  }
}

function show(surface: Surface, picture: TestPicture, x: number, y: number, w: number, h: number): void {
  for (let row = y; row < y + h; row++) {
    const from = row * picture.stride + x
    surface.pixels.set(picture.pixels.subarray(from, from + w), row * SURFACE_STRIDE + x)
  }
  surface.damage(x, y, w, h)
}

/** Opaque but for its first row, which lets half of what is below through; 20 × 24. */
function arrow(colour: number): Uint32Array {
  const image = new Uint32Array(64 * 64)
  for (let y = 0; y < 24; y++)
    for (let x = 0; x < 20; x++) image[y * 64 + x] = y === 0 ? 0x80000000 : (0xff000000 | colour) >>> 0
  return image
}

/** The picture with the cursor in it. */
function withCursor(picture: TestPicture, at: { x: number; y: number }, colour: number): Uint32Array {
  const pixels = picture.pixels.slice()
  for (let row = 0; row < 24; row++) {
    for (let column = 0; column < 20; column++) {
      const [x, y] = [at.x - HOT.x + column, at.y - HOT.y + row]
      if (x < 0 || y < 0 || x >= WIDTH || y >= HEIGHT) continue
      const below = pixels[y * WIDTH + x]!
      const half = (shift: number): number => Math.round((((below >>> shift) & 255) * 127) / 255) << shift
      pixels[y * WIDTH + x] = row === 0 ? half(16) | half(8) | half(0) : colour
    }
  }
  return pixels
}

const equal = (client: TestClient, pixels: Uint32Array): boolean =>
  client.picture.pixels.length === pixels.length &&
  client.picture.pixels.every((pixel, i) => (pixel & 0xff_ffff) === pixels[i])

/** Asks for changes until the viewer has that picture. */
const sees = (client: TestClient, pixels: Uint32Array): Promise<void> =>
  client.until(() => {
    client.request()
    return equal(client, pixels)
  })

for (const [name, encoding] of Object.entries({
  raw: ENCODING.RAW,
  zrle: ENCODING.ZRLE,
  tight: ENCODING.TIGHT,
})) {
  test(`${name}: who draws no cursor has it in the picture, wherever it goes and whatever is drawn or scrolled under it`, async (t) => {
    const { surface, viewer } = serve(t)
    const picture = blank(WIDTH, HEIGHT)
    const random = new Random(4711)
    const recorder = await viewer(encoding, ENCODING.COPY_RECT)
    const drawing = await viewer(encoding, ENCODING.COPY_RECT, PSEUDO.CURSOR)
    for (const client of [recorder, drawing]) client.request(false)
    let at = { x: 50, y: 60 }
    let colour = 0x00ff00
    surface.setCursor(arrow(colour), HOT.x, HOT.y)
    surface.moveCursor(at.x, at.y)
    for (let round = 0; round < 30; round++) {
      if (round % 4 === 0) {
        // Also half outside, and where it was.
        at = { x: random.below(WIDTH + 20) - 10, y: random.below(HEIGHT + 20) - 10 }
        surface.moveCursor(at.x, at.y)
      }
      if (round % 5 === 4) {
        colour = random.below(0x1000000)
        surface.setCursor(arrow(colour), HOT.x, HOT.y)
      }
      if (round % 2 === 0) {
        const rect = anyRect(random, WIDTH, HEIGHT)
        scribble(picture, random, rect.x, rect.y, rect.width, rect.height)
        show(surface, picture, rect.x, rect.y, rect.width, rect.height)
      } else {
        picture.pixels.copyWithin(0, 16 * WIDTH)
        for (let i = (HEIGHT - 16) * WIDTH; i < picture.pixels.length; i++)
          picture.pixels[i] = random.below(0x1000000)
        show(surface, picture, 0, 0, WIDTH, HEIGHT)
      }
      for (const client of [recorder, drawing]) client.request()
      const wanted = withCursor(picture, at, colour)
      await sees(recorder, wanted)
      await sees(drawing, picture.pixels)
    }
    assert.ok(recorder.encodings.has(ENCODING.COPY_RECT), 'what is elsewhere is still moved')
    surface.setCursor(null, 0, 0)
    await sees(recorder, picture.pixels)
  })
}

test('a viewer that begins to draw it itself, and a picture that becomes smaller, leave nothing of it behind', async (t) => {
  const { surface, viewer } = serve(t)
  const picture = blank(WIDTH, HEIGHT)
  picture.pixels.fill(0x203040)
  show(surface, picture, 0, 0, WIDTH, HEIGHT)
  surface.setCursor(arrow(0xff0000), HOT.x, HOT.y)
  surface.moveCursor(380, 280)
  const client = await viewer(ENCODING.ZRLE, PSEUDO.DESKTOP_SIZE)
  client.request(false)
  await client.until(() => equal(client, withCursor(picture, { x: 380, y: 280 }, 0xff0000)))
  client.setEncodings(ENCODING.ZRLE, PSEUDO.DESKTOP_SIZE, PSEUDO.CURSOR)
  await sees(client, picture.pixels)
  client.setEncodings(ENCODING.ZRLE, PSEUDO.DESKTOP_SIZE)
  await sees(client, withCursor(picture, { x: 380, y: 280 }, 0xff0000))
  surface.resize(200, 100)
  const small = new Uint32Array(200 * 100).fill(0x203040)
  await sees(client, small)
  assert.equal(client.picture.width, 200)
})
