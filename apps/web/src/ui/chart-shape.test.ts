import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areaPath, linePath, nearest, niceMax, pieces } from './chart-shape.ts'

const span = { start: 0, end: 100, stepMs: 10 }
const box = { width: 1000, height: 100, max: 50 }

test('a curve is cut where nothing was measured, and never leaves its box', () => {
  const shape = pieces([-10, 0, 10, 60, 70], [1, 0, 25, 100, null], span, box)
  assert.deepEqual(shape, [
    [
      { x: 0, y: 100 },
      { x: 100, y: 50 },
    ],
    [{ x: 600, y: 0 }],
  ])
  assert.equal(linePath(shape[0]!), 'M0 100L100 50')
  assert.equal(linePath(shape[1]!), 'M600 0L600 0')
  assert.equal(areaPath(shape[0]!, 100), 'M0 100L100 50L100 100L0 100Z')
  assert.equal(areaPath([], 100), '')
})

test('the scale ends at a round number', () => {
  assert.equal(niceMax(0.3, 10, 1), 1)
  assert.equal(niceMax(37, 10, 1), 40)
  assert.equal(niceMax(101, 10, 1), 200)
  assert.equal(niceMax(0, 2, 1024), 1024)
  assert.equal(niceMax(1100, 2, 1024), 1536)
  assert.equal(niceMax(1700, 2, 1024), 2048)
})

test('the pointer finds the row beside it', () => {
  assert.equal(nearest([0, 10, 20], 14), 1)
  assert.equal(nearest([0, 10, 20], 999), 2)
  assert.equal(nearest([], 5), -1)
})
