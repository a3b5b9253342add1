import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SnapshotPlan } from '../views/snapshot.ts'
import { nextTime } from './schedule-time.ts'

const berlin = 'Europe/Berlin'
const plan = (part: Partial<SnapshotPlan>): SnapshotPlan => ({
  every: 'day',
  minute: 0,
  weekday: 0,
  keep: 7,
  ...part,
})
const next = (part: Partial<SnapshotPlan>, after: string, zone = berlin) =>
  nextTime(plan(part), new Date(after), zone).toISOString()

test('every day at an hour of the home, today or tomorrow', () => {
  assert.equal(next({ minute: 180 }, '2026-11-21T01:59:59Z'), '2026-11-21T02:00:00.000Z')
  assert.equal(next({ minute: 180 }, '2026-11-21T02:00:00Z'), '2026-11-22T02:00:00.000Z')
  assert.equal(next({ minute: 30 }, '2026-11-21T23:45:00Z'), '2026-11-22T23:30:00.000Z')
  assert.equal(next({ minute: 30 }, '2026-11-21T12:00:00Z', 'America/New_York'), '2026-11-22T05:30:00.000Z')
})

test('every week on one day', () => {
  // 21 November 2026 is a Saturday.
  assert.equal(
    next({ every: 'week', weekday: 0, minute: 60 }, '2026-11-21T12:00:00Z'),
    '2026-11-22T00:00:00.000Z',
  )
  assert.equal(
    next({ every: 'week', weekday: 6, minute: 60 }, '2026-11-21T12:00:00Z'),
    '2026-11-28T00:00:00.000Z',
  )
})

test('every hour at a minute', () => {
  assert.equal(next({ every: 'hour', minute: 15 }, '2026-11-21T12:00:30Z'), '2026-11-21T12:15:00.000Z')
  assert.equal(next({ every: 'hour', minute: 15 }, '2026-11-21T12:15:30Z'), '2026-11-21T13:15:00.000Z')
})

test('the change of the clocks: a skipped hour comes later, a repeated one once a day', () => {
  // 2:30 does not exist on 29 March 2026 in Berlin.
  assert.equal(next({ minute: 150 }, '2026-03-28T12:00:00Z'), '2026-03-29T01:30:00.000Z')
  // 2:30 comes twice on 25 October 2026.
  assert.equal(next({ minute: 150 }, '2026-10-24T12:00:00Z'), '2026-10-25T00:30:00.000Z')
  assert.equal(next({ minute: 150 }, '2026-10-25T00:30:00Z'), '2026-10-26T01:30:00.000Z')
  assert.equal(next({ every: 'hour', minute: 0 }, '2026-10-25T00:00:00Z'), '2026-10-25T01:00:00.000Z')
})
