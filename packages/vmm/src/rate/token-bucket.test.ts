import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../virtio/testing/driver.ts'
import { RateLimiter, TokenBucket } from './token-bucket.ts'

test('a bucket holds the burst and no more, however long it rested', () => {
  let now = 0
  const bucket = new TokenBucket(1000, 500, () => now)
  now = 1e9
  let taken = 0
  while (bucket.waitMs() === 0) {
    bucket.take(1)
    taken++
  }
  assert.equal(taken, 500)
  assert.ok(bucket.waitMs() > 0 && bucket.waitMs() < 1e-9)
})

test('work larger than the bucket passes and is paid for afterwards', () => {
  let now = 0
  const bucket = new TokenBucket(1000, 100, () => now)
  bucket.take(1100)
  assert.ok(Math.abs(bucket.waitMs() - 1000) < 1e-6)
  now = 999
  assert.ok(bucket.waitMs() > 0)
  now = 1001
  assert.equal(bucket.waitMs(), 0)
})

test('property: whatever is asked and whenever, the rate is exact', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed)
    let now = 0
    const bytesPerSecond = 1 + random(10_000_000)
    const operationsPerSecond = 1 + random(5000)
    const limiter = new RateLimiter({ bytesPerSecond, operationsPerSecond }, () => now)
    const largest = 1 + random(200_000)
    let [bytes, operations] = [0, 0]
    for (let step = 0; step < 3000; step++) {
      // Always hungry: it waits exactly as long as it is told, and not a turn more.
      const wait = limiter.waitMs()
      now += wait
      if (wait > 0 && limiter.waitMs() > 1) assert.fail('told to wait again after the wait')
      if (limiter.waitMs() > 0) continue
      const size = random(largest)
      limiter.take(size)
      bytes += size
      operations++
    }
    const seconds = now / 1000
    assert.ok(bytes <= bytesPerSecond * (seconds + 1) + largest, `seed ${seed}: ${bytes} bytes`)
    assert.ok(operations <= operationsPerSecond * (seconds + 1) + 1, `seed ${seed}: ${operations} operations`)
    // One of the two was the limit, and it was used up, but for the milliseconds a wait is rounded to.
    const used = Math.max(bytes / bytesPerSecond, operations / operationsPerSecond)
    assert.ok(used >= seconds * 0.5, `seed ${seed}: ${used} of ${seconds} s`)
  }
})

test('without limits nothing waits', () => {
  const limiter = new RateLimiter({})
  limiter.take(1e15)
  assert.equal(limiter.waitMs(), 0)
})
