import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorText, formatLogLine } from './log.ts'

test('whatever is logged stays one line that can be taken apart again', () => {
  const time = new Date('2026-01-02T03:04:05.678Z')
  assert.equal(
    formatLogLine(time, 'info', 'vm ended', { vm: 'a-1', code: 0, signal: null, reason: 'It "said"\nstop' }),
    '2026-01-02T03:04:05.678Z info vm ended vm=a-1 code=0 reason="It \\"said\\"\\nstop"',
  )
  assert.equal(formatLogLine(time, 'warn', 'two\r\nlines').split('\n').length, 1)
  assert.ok(formatLogLine(time, 'warn', 'x', { long: 'y'.repeat(1e6) }).length < 3000)
})

test('an error is told with what caused it', () => {
  assert.equal(errorText(new Error('no disk', { cause: new Error('ENOENT') })), 'no disk (ENOENT)')
  assert.equal(errorText('text'), 'text')
})
