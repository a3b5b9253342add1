import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRunOptions, vmmCommandLine } from '../cli/options.ts'

const parse = (...args: string[]) => parseRunOptions(['--kernel', 'k', ...args])

test('a display is asked for by its socket; without one there is none', () => {
  assert.equal(parse().display, undefined)
  assert.deepEqual(parse('--display', 'unix:/run/d').display, { path: '/run/d', layout: 'us' })
  const options = parse('--display', 'unix:/run/d', '--keyboard', 'de')
  assert.deepEqual(options.display, { path: '/run/d', layout: 'de' })
  assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)), options)
})

test('what cannot be a display is refused with what to write instead', () => {
  assert.throws(() => parse('--display', '/run/d'), /--display \/run\/d: write unix:PATH/)
  assert.throws(() => parse('--display', 'unix:'), /socket's path is missing/)
  assert.throws(() => parse('--display', 'unix:/d', '--keyboard', 'xx'), /known are us, gb, de, fr/)
  assert.throws(() => parse('--keyboard', 'de'), /--keyboard needs --display/)
})
