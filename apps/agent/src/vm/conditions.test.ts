import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conditions } from './conditions.ts'

test('who waits is woken by the change that makes it true, by no other, and not after its time', async () => {
  const conditions = new Conditions()
  let count = 0
  assert.equal(await conditions.until(() => count === 0), true)
  const waiting = conditions.until(() => count === 2)
  let woken = false
  void waiting.then(() => {
    woken = true
  })
  for (count = 1; count < 2; count++) {
    conditions.look()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(woken, false)
  }
  conditions.look()
  assert.equal(await waiting, true)
  assert.equal(await conditions.until(() => false, 1), false)
})
