import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain, tool } from './tool.ts'

const quiet = { log: () => {}, signal: new AbortController().signal }

test('a failure says what to do where its last words tell', () => {
  const cases: [string, RegExp][] = [
    ["E: Could not resolve 'mirror.example'", /mirror cannot be reached/],
    ['mke2fs: No space left on device', /disk is full/],
    ['E: Unable to locate package nonesuch', /mirror lacks a package/],
    ['Err:3 404  Not Found [IP: 192.0.2.1 80]', /older than its packages/],
    ['something nobody foresaw', /^mmdebstrap failed\. Its last words:\nsomething nobody foresaw$/],
  ]
  for (const [words, expected] of cases) assert.match(explain('mmdebstrap', words), expected)
})

test('a tool is heard line by line, and its failure quotes it', async () => {
  const lines: string[] = []
  await tool(quiet, 'sh', ['-c', 'echo one; echo two >&2'], { onLine: (line) => lines.push(line) })
  assert.deepEqual(lines.sort(), ['one', 'two'])
  await assert.rejects(tool(quiet, 'sh', ['-c', 'echo no use >&2; exit 3']), /sh failed[\s\S]*no use/)
  await assert.rejects(tool(quiet, 'no-such-tool', []), /no-such-tool did not start/)
})

test('stopping ends the tool and everything it started', async () => {
  const stop = new AbortController()
  // The grandchild holds the pipe: the promise settles only when that is gone too.
  const running = tool({ log: () => {}, signal: stop.signal }, 'sh', ['-c', 'sleep 1000 & echo up; wait'], {
    onLine: () => stop.abort(),
  })
  await assert.rejects(running, { name: 'AbortError' })
})
