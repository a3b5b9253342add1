import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateLimit } from './rate-limit.ts'

test('a bucket empties by requests and fills evenly with time, each caller for itself', () => {
  const limit = new RateLimit(10, 10_000)
  const start = 1_000_000
  for (let left = 9; left >= 0; left--) assert.equal(limit.take('a', start).remaining, left)
  assert.equal(limit.take('a', start).allowed, false)
  assert.equal(limit.take('b', start).allowed, true)
  assert.equal(limit.take('a', start + 999).allowed, false)
  assert.equal(limit.take('a', start + 1_000).allowed, true)
  assert.equal(limit.take('a', start + 1_000).allowed, false)
  assert.equal(limit.take('a', start + 1_000).reset, Math.ceil((start + 11_000) / 1000))
  assert.equal(limit.take('a', start + 100_000).remaining, 9)
})
