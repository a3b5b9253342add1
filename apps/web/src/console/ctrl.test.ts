import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withCtrl } from './ctrl.ts'

test('Ctrl makes control characters of what has one', () => {
  const cases: [string, string][] = [
    ['c', '\x03'],
    ['C', '\x03'],
    ['d', '\x04'],
    ['[', '\x1b'],
    [']', '\x1d'],
    ['@', '\0'],
    [' ', '\0'],
    ['?', '\x7f'],
    ['1', '1'],
    ['ä', 'ä'],
    ['\x1b[A', '\x1b[A'],
  ]
  for (const [typed, sent] of cases) assert.equal(withCtrl(typed), sent, typed)
})
