import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, bytes, dateTime, dayLabel, duration, percent } from './format.ts'

test('durations show their two largest units', () => {
  const cases: [number, string][] = [
    [-5, '0s'],
    [45_000, '45s'],
    [60_000, '1m'],
    [3_600_000, '1h'],
    [3_600_000 * 4 + 60_000 * 12, '4h 12m'],
    [86_400_000, '1d'],
    [86_400_000 * 3 + 3_600_000 * 4 + 60_000, '3d 4h'],
  ]
  for (const [ms, text] of cases) assert.equal(duration(ms), text)
})

test('distances in time are told in the largest whole unit', () => {
  const now = Date.parse('2026-05-10T12:00:00.000Z')
  assert.equal(ago('2026-05-10T11:59:30.000Z', now, 'just now', 'en'), 'just now')
  assert.equal(ago('2026-05-10T11:57:01.000Z', now, 'just now', 'en'), '2 minutes ago')
  assert.equal(ago('2026-05-09T12:00:00.000Z', now, 'just now', 'en'), 'yesterday')
  assert.equal(ago('2026-05-12T13:00:00.000Z', now, 'just now', 'en'), 'in 2 days')
})

test('days have names near today', () => {
  const now = new Date(2026, 4, 10, 12).getTime()
  const words = { today: 'Today', yesterday: 'Yesterday' }
  assert.equal(dayLabel(new Date(2026, 4, 10, 0, 1).toISOString(), now, words, 'en'), 'Today')
  assert.equal(dayLabel(new Date(2026, 4, 9, 23, 59).toISOString(), now, words, 'en'), 'Yesterday')
  assert.equal(dayLabel(new Date(2026, 4, 8, 12).toISOString(), now, words, 'en-GB'), 'Friday 8 May')
})

test('a moment is shown in the zone of its reader', () => {
  assert.match(dateTime('2026-05-10T22:30:00.000Z', 'en-GB', 'Europe/Berlin'), /11 May 2026.*00:30/)
})

test('figures are written as the reader’s language writes them', () => {
  assert.equal(bytes(1.5 * 2 ** 30, 'en'), '1.5 GiB')
  assert.equal(bytes(1.5 * 2 ** 30, 'de'), '1,5 GiB')
  assert.equal(percent(0.426, 'en'), '43%')
  assert.equal(percent(0.426, 'de').replace(/\s/, ' '), '43 %')
})
