/** Runs the examples of docs/api.md, in order, as they stand there. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { runProgram } from '../testing/run-program.ts'
import { act } from '../testing/showcase/acting-agent.ts'
import { TestPortal } from '../testing/test-portal.ts'

const document = new URL('../../../../docs/api.md', import.meta.url)

test('the examples of docs/api.md work', async (t) => {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  act(portal.agent)
  const ada = await portal.setUp()
  const { secret } = await ada.trpc.token.create.mutate({ name: 'docs', scope: 'write', expiresInDays: 1 })
  const text = await readFile(document, 'utf8')
  const scripts = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script]) => script!)
  assert.ok(scripts.length >= 7)
  const env = { HEARTH_URL: portal.url, HEARTH_TOKEN: secret }
  for (const script of scripts) {
    const { code, output } = await runProgram('bash', ['-euo', 'pipefail', '-c', script], env)
    assert.equal(code, 0, `${script}\n${output}`)
  }
  const server = await portal.db.vm.findFirstOrThrow({ where: { name: 'example-1' } })
  assert.equal(server.desiredState, 'deleted')
})
