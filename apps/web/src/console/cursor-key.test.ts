import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cursorKey } from './cursor-key.ts'

test('cursor keys change with the mode of the terminal, and nothing else does', () => {
  assert.equal(cursorKey('\x1b[A', true), '\x1bOA')
  assert.equal(cursorKey('\x1b[D', true), '\x1bOD')
  assert.equal(cursorKey('\x1b[D', false), '\x1b[D')
  assert.equal(cursorKey('\x1b', true), '\x1b')
  assert.equal(cursorKey('[', true), '[')
})
