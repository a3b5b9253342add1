import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Steps } from './steps.ts'

/** A stream that steps take for a terminal of 60 columns; `written` is all that was written on it. */
function terminal(): { out: NodeJS.WriteStream; written: () => string } {
  const out = new PassThrough()
  let all = ''
  out.on('data', (chunk) => {
    all += String(chunk)
  })
  return {
    out: Object.assign(out, { isTTY: true, columns: 60 }) as unknown as NodeJS.WriteStream,
    written: () => all,
  }
}

test('on a terminal a step that says nothing counts its seconds, within one line, and stops counting when it ends', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const { out, written } = terminal()
  const waiting = Promise.withResolvers<string>()
  const step = new Steps(out).run('Portal pages', (step) => {
    step.detail(`  Creating ${'a very long name '.repeat(9)}`)
    return waiting.promise
  })
  now = 2000
  t.mock.timers.tick(1000)
  assert.doesNotMatch(written(), /\d s\)/, 'a quick step shows no clock')
  now = 42_400
  t.mock.timers.tick(1000)
  const line = written().split('\r\x1b[2K').at(-1)!
  assert.match(line, /^• Portal pages: Creating a very .*… \(42 s\)$/)
  assert.ok(line.length < 60, `one line: ${line.length}`)
  waiting.resolve('built')
  await step
  const before = written()
  assert.match(before, /✓ Portal pages: built \(42\.4 s\)\n$/)
  t.mock.timers.tick(5000)
  assert.equal(written(), before)
})
