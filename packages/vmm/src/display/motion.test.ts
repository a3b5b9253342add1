import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../rfb/testing/pictures.ts'
import { MotionFinder, type Move } from './motion.ts'
import { TileSet } from './tiles.ts'

const WIDTH = 400
const HEIGHT = 300

/** Lines of random glyph-like columns on a plain background. */
function page(seed: number): Uint32Array {
  const random = new Random(seed)
  const pixels = new Uint32Array(WIDTH * HEIGHT)
  for (let line = 0; line < HEIGHT / 20; line++) {
    const length = random.below(WIDTH)
    for (let x = 0; x < length; x++) {
      const bits = random.below(1 << 14)
      for (let y = 0; y < 14; y++) if ((bits >> y) & 1) pixels[(line * 20 + y) * WIDTH + x] = 0xcccccc
    }
  }
  return pixels
}

const differences = (before: Uint32Array, after: Uint32Array): TileSet => {
  const tiles = new TileSet()
  for (let i = 0; i < before.length; i++) {
    if (before[i] !== after[i]) tiles.addRect(i % WIDTH, Math.floor(i / WIDTH), 1, 1)
  }
  return tiles
}

/** What a viewer has after copying as it is told, in that order, each rectangle at once. */
function copied(before: Uint32Array, moves: readonly Move[]): Uint32Array {
  const screen = before.slice()
  for (const { x, y, width, height, dx, dy } of moves) {
    const source = screen.slice()
    for (let row = y; row < y + height; row++) {
      const from = (row - dy) * WIDTH + x - dx
      screen.set(source.subarray(from, from + width), row * WIDTH + x)
    }
  }
  return screen
}

function find(before: Uint32Array, after: Uint32Array): Move[] {
  const pair = { before, after, stride: WIDTH, width: WIDTH, height: HEIGHT }
  return new MotionFinder().find(pair, differences(before, after))
}

function shifted(before: Uint32Array, dx: number, dy: number, fill: Uint32Array): Uint32Array {
  return before.map((_, i) => {
    const x = (i % WIDTH) - dx
    const y = Math.floor(i / WIDTH) - dy
    return x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT ? before[y * WIDTH + x]! : fill[i]!
  })
}

test('scrolling up, down and sideways, and any of both, is found, and copying explains nearly all of it', () => {
  for (const [dx, dy] of [
    [0, -20],
    [0, 13],
    [-31, 0],
    [17, 0],
    [24, -9],
    [-5, 40],
  ] as const) {
    const before = page(11)
    const after = shifted(before, dx, dy, page(12))
    const moves = find(before, after)
    assert.ok(moves.length > 0, `${dx},${dy}`)
    assert.ok(moves.every((move) => move.dx === dx && move.dy === dy))
    const screen = copied(before, moves)
    for (const move of moves) {
      for (let row = move.y; row < move.y + move.height; row++) {
        const at = row * WIDTH + move.x
        assert.deepEqual(
          screen.subarray(at, at + move.width),
          after.subarray(at, at + move.width),
          `${dx},${dy}`,
        )
      }
    }
    const wrong = screen.reduce((sum, pixel, i) => sum + (pixel === after[i] ? 0 : 1), 0)
    const needed = before.reduce((sum, pixel, i) => sum + (pixel === after[i] ? 0 : 1), 0)
    assert.ok(wrong < needed / 2, `${dx},${dy}: ${wrong} of ${needed} pixels are left`)
  }
})

test('a window dragged over a background', () => {
  const desktop = page(1)
  const window = page(2).map((pixel) => pixel ^ 0x335577)
  const draw = (x: number, y: number): Uint32Array => {
    const pixels = desktop.slice()
    for (let row = 0; row < 180; row++) {
      pixels.set(window.subarray(row * WIDTH, row * WIDTH + 200), (y + row) * WIDTH + x)
    }
    return pixels
  }
  const moves = find(draw(30, 40), draw(57, 61))
  assert.ok(moves.length > 0)
  assert.ok(moves.every((move) => move.dx === 27 && move.dy === 21))
})

test('a page of console text, whose few shapes come again everywhere, scrolled by a line', () => {
  const random = new Random(7)
  // Two strokes a letter, 8 × 16 pixels: any four letters in a row are on the page dozens of times.
  const letters = Array.from({ length: 26 }, () =>
    Array.from({ length: 16 }, (_, row) => (row > 2 && row < 13 ? random.below(4) : 0)),
  )
  const draw = (lines: readonly (readonly number[])[]): Uint32Array => {
    const pixels = new Uint32Array(WIDTH * HEIGHT)
    for (const [line, columns] of lines.entries())
      for (const [column, letter] of columns.entries())
        for (const [row, strokes] of letters[letter]!.entries())
          for (let bit = 0; bit < 2; bit++)
            if ((strokes >> bit) & 1) pixels[(line * 16 + row) * WIDTH + column * 8 + 1 + 4 * bit] = 0xd8d8d8
    return pixels
  }
  const lines = Array.from({ length: 19 }, () => Array.from({ length: 50 }, () => random.below(26)))
  const [before, after] = [draw(lines.slice(0, 18)), draw(lines.slice(1))]
  const left = differences(copied(before, find(before, after)), after)
  let tiles = 0
  left.forEach(() => {
    tiles++
  })
  assert.ok(tiles <= 2 * (WIDTH / 16), `${tiles} tiles are left`)
})

test('new content is no move, and neither is a plain picture', () => {
  assert.deepEqual(find(page(5), page(6)), [])
  assert.deepEqual(find(new Uint32Array(WIDTH * HEIGHT), new Uint32Array(WIDTH * HEIGHT).fill(1)), [])
})
