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
  const wall = parse('--display', 'unix:/run/d', '--screens', '4')
  assert.equal(wall.display?.screens, 4)
  assert.deepEqual(parseRunOptions(vmmCommandLine(wall).slice(1)), wall)
})

test('what cannot be a display is refused with what to write instead', () => {
  assert.throws(() => parse('--display', '/run/d'), /--display \/run\/d: write unix:PATH/)
  assert.throws(() => parse('--display', 'unix:'), /socket's path is missing/)
  assert.throws(() => parse('--display', 'unix:/d', '--keyboard', 'xx'), /known are us, gb, de, fr/)
  assert.throws(() => parse('--keyboard', 'de'), /--keyboard needs --display/)
  assert.throws(() => parse('--screens', '2'), /--screens needs --display/)
  for (const count of ['0', '5', 'two']) {
    assert.throws(() => parse('--display', 'unix:/d', '--screens', count), /give 1 to 4/)
  }
})
