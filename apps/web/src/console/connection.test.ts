import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  advance,
  backoff,
  type ConnectionEvent,
  type ConnectionState,
  initialConnection,
} from './connection.ts'

const none = () => 0
function run(
  events: ConnectionEvent[],
  from: ConnectionState = initialConnection,
  now = 1000,
): ConnectionState {
  return events.reduce((state, event) => advance(state, event, now, none), from)
}
const live: ConnectionState = { at: 'live' }

test('ticket, socket, live', () => {
  assert.deepEqual(run([{ type: 'ticket', url: '/x' }]), { at: 'connecting', attempt: 0, url: '/x' })
  assert.deepEqual(run([{ type: 'ticket', url: '/x' }, { type: 'socket_open' }]), live)
})

test('an interrupted stream is tried again, more slowly each time, and quickly again after success', () => {
  let state = advance(live, { type: 'socket_closed', code: 1006 }, 0, none)
  assert.deepEqual(state, { at: 'waiting', reason: 'interrupted', attempt: 1, retryAt: 500 })
  const waits: number[] = []
  for (let i = 0; i < 7; i++) {
    state = run([{ type: 'retry' }], state, 0)
    state = run([{ type: 'ticket_refused', code: 'internal' }], state, 0)
    if (state.at === 'waiting') waits.push(state.retryAt)
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
  state = run([{ type: 'retry' }, { type: 'ticket', url: '/x' }, { type: 'socket_open' }], state)
  assert.deepEqual(advance(state, { type: 'socket_closed', code: 1006 }, 0, none), {
    at: 'waiting',
    reason: 'interrupted',
    attempt: 1,
    retryAt: 500,
  })
})

test('a stopped VM is not knocked at; the console goes on when it starts', () => {
  const stopped = run([{ type: 'not_running' }, { type: 'socket_closed', code: 4409 }], live)
  assert.deepEqual(stopped, { at: 'stopped' })
  assert.deepEqual(run([{ type: 'retry' }, { type: 'portal_back' }], stopped), stopped)
  assert.deepEqual(run([{ type: 'vm', running: false, hostAway: false }], stopped), stopped)
  assert.deepEqual(run([{ type: 'vm', running: true, hostAway: true }], stopped), stopped)
  assert.deepEqual(run([{ type: 'vm', running: true, hostAway: false }], stopped), initialConnection)
})

test('host away is said, and its return ends the wait', () => {
  const waiting = run([{ type: 'ticket_refused', code: 'host_unavailable' }])
  assert.equal(waiting.at === 'waiting' && waiting.reason, 'host_away')
  assert.deepEqual(run([{ type: 'portal_back' }], waiting), waiting)
  assert.deepEqual(run([{ type: 'vm', running: true, hostAway: false }], waiting), initialConnection)
  const interrupted = run([{ type: 'socket_closed', code: 1006 }], live)
  const told = run([{ type: 'vm', running: true, hostAway: true }], interrupted)
  assert.equal(told.at === 'waiting' && told.reason, 'host_away')
})

test('a restarted portal is waited for and greeted at once', () => {
  const waiting = run([{ type: 'socket_closed', code: 1001 }], live)
  assert.equal(waiting.at === 'waiting' && waiting.reason, 'portal_away')
  assert.deepEqual(run([{ type: 'portal_back' }], waiting), initialConnection)
})

test('what is gone or not allowed ends the console for good', () => {
  for (const [code, reason] of [
    ['not_found', 'not_found'],
    ['forbidden', 'forbidden'],
    ['unauthorized', 'signed_out'],
  ] as const) {
    const ended = run([{ type: 'ticket_refused', code }])
    assert.deepEqual(ended, { at: 'ended', reason })
    assert.deepEqual(run([{ type: 'retry' }, { type: 'portal_back' }], ended), ended)
  }
  assert.deepEqual(run([{ type: 'socket_closed', code: 4404 }], live), { at: 'ended', reason: 'not_found' })
})

test('late news about an old socket changes nothing', () => {
  const waiting = run([{ type: 'socket_closed', code: 1006 }], live)
  assert.deepEqual(run([{ type: 'socket_closed', code: 1006 }, { type: 'socket_open' }], waiting), waiting)
})

test('a console with too many viewers is asked for again later', () => {
  const waiting = run([{ type: 'socket_closed', code: 1013 }], live)
  assert.equal(waiting.at === 'waiting' && waiting.reason, 'crowded')
})

test('waits are spread by up to a fifth', () => {
  assert.equal(
    backoff(0, () => 0),
    500,
  )
  assert.equal(
    backoff(0, () => 0.999_999),
    600,
  )
  assert.equal(
    backoff(50, () => 0),
    10_000,
  )
})

test('a run without a screen ends the wait for one; a run with one begins it anew', () => {
  const live: ConnectionState = { at: 'live' }
  const none = advance(live, { type: 'socket_closed', code: 4410 }, 0)
  assert.deepEqual(none, { at: 'ended', reason: 'no_screen' })
  assert.equal(advance(none, { type: 'vm', running: true, hostAway: false }, 0), none)
  assert.deepEqual(advance(none, { type: 'screen_there' }, 0), { at: 'opening', attempt: 0 })
  assert.equal(advance(live, { type: 'screen_there' }, 0), live)
})
