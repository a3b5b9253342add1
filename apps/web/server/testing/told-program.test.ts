import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

/** `body` is the program's: an expression for what `begin` resolves with. What never ends on its own runs beside it. */
function program(body: string): ChildProcess {
  const source = `
    import { obeyTest } from ${JSON.stringify(new URL('./told-program.ts', import.meta.url).href)}
    process.on('uncaughtException', () => {})
    process.on('unhandledRejection', () => {})
    setInterval(() => {}, 1000)
    const never = new Promise(() => {})
    await obeyTest(async () => (${body}), 200)`
  return spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}

async function end(child: ChildProcess): Promise<{ code: unknown; said: string }> {
  const said = text(child.stdout!)
  const [code] = await once(child, 'exit')
  return { code, said: await said }
}

test('it answers each line, clears up and ends with its input', async () => {
  const child = program(
    `{ ready: 'ready', obey: (line) => line.length, end: async () => console.log('cleared up') }`,
  )
  child.stdin!.end('one\nthree\n')
  assert.deepEqual(await end(child), { code: 0, said: '"ready"\n3\n5\ncleared up\n' })
})

for (const [what, body] of [
  ['a start that does not end', 'await never'],
  ['a clearing up that does not end', `{ ready: 1, obey() {}, end: () => never }`],
  ['a command that does not end', `{ ready: 1, obey: () => never, end: async () => {} }`],
] as const) {
  test(`with its input ${what} ends, too`, async () => {
    const child = program(body)
    child.stdin!.end('do\n')
    assert.equal((await end(child)).code, 1)
  })
}

test('a start that fails is its end, whoever keeps the process', async () => {
  assert.equal((await end(program(`await Promise.reject(new Error('no'))`))).code, 1)
})

test('a test that is gone does not read its answers', async () => {
  const child = program(`{ ready: 1, obey: () => 2, end: async () => {} }`)
  child.stdout!.destroy()
  child.stdin!.end('do\n')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})
