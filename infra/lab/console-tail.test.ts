import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsoleTail } from './console-tail.ts'

test('the end of a console, without noise', () => {
  const tail = new ConsoleTail()
  tail.add("warning: TCG doesn't support requested feature: x\r\n\x1b[0mone\r\n\r\n")
  tail.add('two\r\nthr')
  tail.add('ee')
  assert.equal(tail.lines(), 'one\ntwo\nthree')
  assert.equal(tail.lines(2), 'two\nthree')
})

test("a kernel's panic is shown from where it says why, not its last registers", () => {
  const tail = new ConsoleTail()
  const registers = Array.from({ length: 60 }, (_, n) => `RAX: ${n}`)
  tail.add(['fine', 'Kernel panic - not syncing: no root', ...registers].join('\n'))
  assert.equal(tail.lines(2), 'Kernel panic - not syncing: no root\nRAX: 0')
})
