import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Picture, ViewerDamage } from './picture.ts'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from './surface.ts'
import { clip, GRID_COLUMNS, TileSet, wordMask } from './tiles.ts'

function draw(surface: Surface, x: number, y: number, width: number, height: number, colour: number): void {
  for (let row = y; row < y + height; row++) {
    surface.pixels.fill(colour, row * SURFACE_STRIDE + x, row * SURFACE_STRIDE + x + width)
  }
}

test('word masks cover whole words, parts and nothing', () => {
  assert.equal(wordMask(0, 0, 31), 0xffff_ffff)
  assert.equal(wordMask(1, 0, 31), 0)
  assert.equal(wordMask(1, 33, 34), 6)
  assert.equal(wordMask(0, 31, 40), 0x8000_0000)
  assert.equal(wordMask(1, 31, 40), 0x1ff)
})

test('clip takes anything', () => {
  assert.deepEqual(clip({ x: -5, y: 2, width: 10, height: 10 }, 8, 8), { x: 0, y: 2, width: 5, height: 6 })
  assert.equal(clip({ x: 8, y: 0, width: 1, height: 1 }, 8, 8), null)
  assert.equal(clip({ x: 0, y: 0, width: Number.NaN, height: 1 }, 8, 8), null)
  assert.deepEqual(clip({ x: 4, y: 4, width: 0xffff_ffff, height: 2 }, 8, 8), {
    x: 4,
    y: 4,
    width: 4,
    height: 2,
  })
})

test('a tile set lists what was added, in reading order', () => {
  const tiles = new TileSet()
  tiles.addRect(15, 31, 2, 2)
  const seen: string[] = []
  tiles.forEach((_, column, row) => {
    seen.push(`${column},${row}`)
  })
  assert.deepEqual(seen, ['0,1', '1,1', '0,2', '1,2'])
  assert.equal(tiles.size, 4)
  tiles.remove(GRID_COLUMNS)
  assert.equal(tiles.has(GRID_COLUMNS), false)
  tiles.clear()
  assert.equal(tiles.empty, true)
})

test('only damaged tiles are taken, and only changed ones count', () => {
  const surface = new Surface(createSurfaceMemory())
  const picture = new Picture()
  surface.resize(100, 50)
  assert.equal(picture.update(surface), true)
  assert.equal(picture.changed.size, 7 * 4)
  draw(surface, 20, 20, 4, 4, 0xff123456)
  assert.equal(picture.update(surface), false, 'nothing is looked at without damage')
  surface.damage(20, 20, 4, 4)
  assert.equal(picture.update(surface), true)
  assert.equal(picture.changed.size, 1)
  assert.equal(picture.pixels[20 * picture.stride + 20], 0x123456, 'the unused byte is dropped')
  surface.damage(0, 0, 100, 50)
  assert.equal(picture.update(surface), false, 'the same pixels again are no change')
})

test('solid tiles are known, partial ones at the border included', () => {
  const surface = new Surface(createSurfaceMemory())
  const picture = new Picture()
  surface.resize(20, 20)
  draw(surface, 0, 0, 20, 20, 0x0a0b0c)
  picture.update(surface)
  assert.deepEqual(
    [0, 1, GRID_COLUMNS, GRID_COLUMNS + 1].map((t) => picture.solid[t]),
    Array(4).fill(0x0a0b0c),
  )
  draw(surface, 19, 19, 1, 1, 1)
  surface.damage(19, 19, 1, 1)
  picture.update(surface)
  assert.equal(picture.solid[GRID_COLUMNS + 1], -1)
})

test('a change of size takes the whole picture again', () => {
  const surface = new Surface(createSurfaceMemory())
  const picture = new Picture()
  surface.resize(64, 64)
  picture.update(surface)
  draw(surface, 0, 0, 128, 32, 5)
  surface.resize(128, 32)
  assert.equal(picture.update(surface), true)
  assert.deepEqual([picture.width, picture.height], [128, 32])
  assert.ok(picture.pixels.subarray(0, 128 * 32).every((p) => p === 5))
  surface.resize(0, 0)
  assert.equal(picture.update(surface), true)
  assert.equal(picture.changed.empty, true)
  assert.throws(() => surface.resize(3841, 10), RangeError)
})

test('each viewer needs what differs from what it was sent', () => {
  const surface = new Surface(createSurfaceMemory())
  const picture = new Picture()
  const [quick, slow] = [new ViewerDamage(), new ViewerDamage()]
  const update = (): void => {
    if (!picture.update(surface)) return
    quick.follow(picture)
    slow.follow(picture)
  }
  const send = (viewer: ViewerDamage): number => {
    if (!viewer.refine(picture)) return 0
    let count = 0
    viewer.dirty.forEach((tile) => {
      viewer.sent(tile, picture, false)
      count++
    })
    return count
  }
  surface.resize(64, 64)
  update()
  assert.equal(send(quick), 16)
  assert.equal(send(slow), 16)
  // A cursor blinks: on, off. The quick viewer sees both; the slow one comes when it is off again.
  draw(surface, 0, 0, 8, 8, 0xffffff)
  surface.damage(0, 0, 8, 8)
  update()
  assert.equal(send(quick), 1)
  draw(surface, 0, 0, 8, 8, 0)
  surface.damage(0, 0, 8, 8)
  update()
  assert.equal(send(quick), 1)
  assert.equal(send(slow), 0)
  assert.equal(slow.isCurrent(0, picture), true)
  slow.invalidateRect(10, 10, 10, 1)
  assert.equal(send(slow), 2)
})

test('the signal wakes a waiting reader, also for what came before it waited', async () => {
  const surface = new Surface(createSurfaceMemory())
  surface.resize(10, 10)
  let seen = surface.signalled
  surface.damage(0, 0, 1, 1)
  await new Promise<void>((resolve) => surface.onSignal(seen, resolve))
  seen = surface.signalled
  const later = new Promise<void>((resolve) => surface.onSignal(seen, resolve))
  // waitAsync alone does not keep a thread alive; sockets do in the server.
  const alive = setInterval(() => {}, 1000)
  surface.moveCursor(3, 4)
  await later
  clearInterval(alive)
  assert.deepEqual([surface.cursor().x, surface.cursor().y], [3, 4])
})

test('the wish of a viewer is taken once', () => {
  const surface = new Surface(createSurfaceMemory())
  assert.equal(surface.takeWish(), null)
  surface.setWish(3840, 2160)
  assert.deepEqual(surface.takeWish(), { width: 3840, height: 2160 })
  assert.equal(surface.takeWish(), null)
})
