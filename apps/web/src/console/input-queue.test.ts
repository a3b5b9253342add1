import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunkBytes, highWaterBytes, InputQueue, maxQueuedBytes } from './input-queue.ts'

/** A socket whose network takes bytes only when told to. */
function slowSocket() {
  const sent: number[] = []
  return {
    bufferedAmount: 0,
    sent,
    send(data: Uint8Array<ArrayBuffer>) {
      this.bufferedAmount += data.length
      sent.push(...data)
    },
  }
}

test('a keystroke goes out at once', () => {
  const socket = slowSocket()
  const queue = new InputQueue(socket, () => assert.fail('nothing to wait for'))
  assert.ok(queue.push(Uint8Array.of(3)))
  assert.deepEqual(socket.sent, [3])
})

test('a paste waits for a slow line and arrives whole and in order', () => {
  const socket = slowSocket()
  const waiting: (() => void)[] = []
  const queue = new InputQueue(socket, (run) => waiting.push(run))
  const paste = Uint8Array.from({ length: 40_001 }, (_, i) => i % 251)
  assert.ok(queue.push(paste))
  assert.ok(queue.push(Uint8Array.of(252)))
  let rounds = 0
  while (waiting.length > 0) {
    assert.equal(waiting.length, 1, 'one timer at a time')
    assert.ok(socket.bufferedAmount < highWaterBytes + chunkBytes)
    socket.bufferedAmount = 0
    waiting.shift()!()
    rounds++
  }
  assert.ok(rounds >= 4)
  assert.deepEqual(Uint8Array.from(socket.sent), Uint8Array.from([...paste, 252]))
  assert.equal(queue.queuedBytes, 0)
})

test('what would not fit is refused as a whole', () => {
  const socket = { bufferedAmount: highWaterBytes, send: () => assert.fail('the line is full') }
  const queue = new InputQueue(socket, () => {})
  assert.ok(queue.push(new Uint8Array(maxQueuedBytes)))
  assert.equal(queue.push(new Uint8Array(1)), false)
})
