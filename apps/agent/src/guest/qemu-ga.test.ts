/** Our side of the conversation against the real qemu-ga, as every distribution ships it, on a socket instead of a port. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../testing/agent-harness.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { GuestAgent } from './guest-agent.ts'

const mac = '52:54:00:12:34:56'
/** What would hold this machine's own file systems still, or end it. */
const never = ['freeze', 'freeze-list', 'thaw']
  .map((word) => `guest-fsfreeze-${word}`)
  .concat('guest-shutdown')

inOwnNetwork(import.meta.url, () => {
  test('the real agent tells the addresses of the VM’s own card, again and again, and what it refuses', async (t) => {
    const ip = (...args: string[]) => assert.equal(spawnSync('ip', args).status, 0, args.join(' '))
    ip('link', 'add', 'card', 'type', 'bridge')
    ip('link', 'set', 'card', 'address', mac, 'up')
    ip('address', 'add', '192.0.2.9/24', 'dev', 'card')
    const folder = mkdtempSync(join(tmpdir(), 'qemu-ga-'))
    const port = join(folder, 'port')
    const program = spawn(
      'qemu-ga',
      ['--method=unix-listen', `--path=${port}`, `--statedir=${folder}`, '-b', never.join(',')],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const ended = once(program, 'exit')
    t.after(async () => {
      program.kill()
      await ended
      rmSync(folder, { recursive: true })
    })
    const agent = new GuestAgent(port)
    await until('it to answer', () => agent.addresses(mac).catch(() => null))
    for (let round = 0; round < 3; round++) assert.deepEqual(await agent.addresses(mac), ['192.0.2.9'])
    assert.deepEqual(await agent.addresses('52:54:00:00:00:00'), [])
    await assert.rejects(agent.freeze(), /the guest agent refuses/)
    ip('address', 'add', '2001:db8::9/64', 'dev', 'card', 'nodad')
    assert.deepEqual((await agent.addresses(mac)).sort(), ['192.0.2.9', '2001:db8::9'])
  })
})
