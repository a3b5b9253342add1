import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flow } from './flow.ts'

/** Sends updates as fast as the flow allows over a link of a rate (bytes/ms) and a delay (ms), for a while. */
function link(
  rate: number,
  delay: number,
  bytes: number,
  duration: number,
): { flow: Flow; worst: number; sent: number } {
  const flow = new Flow()
  const answers: { id: number; at: number }[] = []
  let linkFree = 0
  let worst = 0
  let sent = 0
  for (let now = 0; now < duration; now++) {
    while (answers.length > 0 && answers[0]!.at <= now) flow.answered(answers.shift()!.id, now)
    if (flow.opensAt(now) > now) continue
    linkFree = Math.max(linkFree, now) + bytes / rate
    // How old the picture is when the viewer has it.
    if (now > duration / 2) worst = Math.max(worst, linkFree + delay / 2 - now)
    answers.push({ id: flow.sent(bytes, now), at: linkFree + delay })
    sent++
  }
  return { flow, worst, sent }
}

test('a slow link gets fewer frames, never late ones', () => {
  // 100 kB/s, frames of 20 kB: 200 ms each on the wire.
  const { worst, sent } = link(100, 20, 20_000, 60_000)
  assert.ok(worst < 600, `${worst} ms`)
  assert.ok(sent > 200, `${sent} frames`)
})

test('a long but wide link is filled: several frames are on their way', () => {
  const { sent } = link(10_000, 200, 5000, 10_000)
  assert.ok(sent > 200, `${sent} frames in 10 s at 200 ms round trip`)
})

test('an update is no larger than the link carries in a tenth of a second', () => {
  const { flow } = link(1000, 10, 50_000, 10_000)
  assert.ok(flow.budget > 50_000 && flow.budget < 200_000, `${flow.budget}`)
  assert.equal(flow.slow, true)
  const fast = link(50_000, 2, 200_000, 3000).flow
  assert.equal(fast.slow, false)
  assert.ok(fast.budget > 1_000_000)
})

test('an answer that never comes does not stop the picture for good', () => {
  const flow = new Flow()
  flow.sent(1, 0)
  flow.sent(1, 1)
  assert.equal(flow.opensAt(2), 5000)
  assert.equal(flow.opensAt(5000), 5000)
})

test('answers nobody waits for, and out of order, are taken', () => {
  const flow = new Flow()
  flow.answered(77, 5)
  const [, second] = [flow.sent(1, 0), flow.sent(1, 0)]
  flow.answered(second, 10)
  assert.equal(flow.opensAt(10), 10, 'a later answer means the earlier ones, too')
  assert.equal(flow.roundTrip, 10)
})
