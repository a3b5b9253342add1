import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentEvent } from '@hearth/shared/agent-protocol'
import { EventHub, subscriberQueueLimit } from './event-hub.ts'

const removed = (n: number): AgentEvent => ({ type: 'vm_removed', vmUid: String(n) })
const number = (event: AgentEvent | undefined) => (event?.type === 'vm_removed' ? Number(event.vmUid) : null)

test('the snapshot comes first and every later event follows in order, none twice', async () => {
  const hub = new EventHub()
  const abort = new AbortController()
  let count = 0
  const publish = () => hub.publish(removed(++count))
  publish()
  // The snapshot is a number here: how many events it already covers.
  const events = hub.subscribe({ signal: abort.signal, snapshot: () => removed(count) })
  publish()
  const covered = number((await events.next()).value ?? undefined)!
  assert.equal(covered, 2)
  publish()
  const seen: (number | null)[] = []
  const reading = (async () => {
    for await (const event of events) seen.push(number(event))
  })()
  for (let n = 0; n < 50; n++) {
    publish()
    if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  while (seen.length < 51) await new Promise((resolve) => setImmediate(resolve))
  abort.abort()
  await reading
  assert.deepEqual(
    seen,
    Array.from({ length: 51 }, (_, index) => covered + 1 + index),
  )
  assert.equal(hub.subscriberCount, 0)
})

test('a subscriber that does not read is ended and holds nothing; others go on', async () => {
  const hub = new EventHub()
  const abort = new AbortController()
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const slow = hub.subscribe({ signal: abort.signal, snapshot: () => removed(0), ready: () => gate })
  await slow.next()
  const fast = hub.subscribe({ signal: abort.signal, snapshot: () => removed(0) })
  await fast.next()
  const blocked = slow.next()
  for (let n = 1; n <= subscriberQueueLimit + 2; n++) {
    hub.publish(removed(n))
    assert.equal(number((await fast.next()).value ?? undefined), n)
  }
  open()
  await blocked
  await assert.rejects(async () => {
    for (;;) await slow.next()
  }, /too slow/)
  assert.equal(hub.subscriberCount, 1)
  await fast.return()
  assert.equal(hub.subscriberCount, 0)
})
