import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { commandScript } from './channel.ts'

const shell = (script: string): string => spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout

test('any argument and any value goes through the shell as it is', () => {
  const words = ["it's", 'a b', '$HOME `id` "x"', '', '\\', 'two\nlines']
  const script = commandScript('printf', ['<%s>', ...words], { cwd: '/' })
  assert.equal(shell(script), words.map((word) => `<${word}>`).join(''))
  const env = commandScript('printenv', ['ODD'], { env: { ODD: "'; exit 9; '", 'NOT A NAME': 'x' } })
  assert.equal(shell(env), "'; exit 9; '\n")
})

test('a folder that is not there ends the command before it begins', () => {
  const result = spawnSync('sh', ['-c', commandScript('echo', ['ran'], { cwd: '/no/such/folder' })])
  assert.equal(result.status, 126)
  assert.equal(result.stdout.toString(), '')
})
