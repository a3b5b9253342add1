/** Runs the examples of docs/api.md, in order, as they stand there. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { TestPortal } from '../testing/test-portal.ts'

const document = new URL('../../../../docs/api.md', import.meta.url)

function run(script: string, env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += String(text)
    })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

test('the examples of docs/api.md work', async (t) => {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  // A host that does at once what it is asked.
  const { agent } = portal
  const working = setInterval(() => {
    for (const action of agent.actions.values()) {
      const { actionId, command, status, vmUid } = action
      if (status !== 'running') continue
      const asked = agent.asked.find((one) => one.actionId === actionId)?.input as { start?: boolean }
      const state = command === 'poweroff_vm' || asked.start === false ? 'stopped' : 'running'
      if (vmUid && command === 'delete_vm') {
        agent.vms.delete(vmUid)
        agent.emit({ type: 'vm_removed', vmUid })
      } else if (vmUid && ['create_vm', 'start_vm', 'poweroff_vm'].includes(command))
        agent.setVm(vmUid, { state, addresses: ['10.87.0.4'] })
      agent.finish(actionId)
    }
  }, 20)
  t.after(() => clearInterval(working))
  const ada = await portal.setUp()
  const { secret } = await ada.trpc.token.create.mutate({ name: 'docs', scope: 'write', expiresInDays: 1 })
  const text = await readFile(document, 'utf8')
  const scripts = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script]) => script!)
  assert.ok(scripts.length >= 7)
  for (const script of scripts) {
    const { code, output } = await run(script, { HEARTH_URL: portal.url, HEARTH_TOKEN: secret })
    assert.equal(code, 0, `${script}\n${output}`)
  }
  const server = await portal.db.vm.findFirstOrThrow({ where: { name: 'example-1' } })
  assert.equal(server.desiredState, 'deleted')
})
