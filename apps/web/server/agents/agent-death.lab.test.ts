/** The portal with the real agent, monitor and guest in the lab, while the agent is killed with -9. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { agentEntry, buildPrograms, vmmEntry } from '../../../../infra/build/programs.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import type { LabProcess } from '../../../../infra/lab/lab-process.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { freePort } from '../../../../infra/lib/free-port.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { ensureImage } from '../../../../infra/recipes/build.ts'
import { type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'

/** The lab's CPU is emulated, and the machine under it may be busy. */
const slow = 300_000
const agentToken = 'portal-lab-token-0123456789'
const guestPort = 7432

let lab: Lab
let folder: string
let agent: LabProcess
let portal: TestPortal
let ada: Person

function startAgent(): void {
  agent = lab.spawn(process.execPath, [
    ...[agentEntry, '--state', `${sharedLabData}/agent-death`, '--run-dir', '/run/agent-death'],
    ...['--images', path.join(folder, 'images'), '--token-file', path.join(folder, 'token')],
    ...['--builder', 'http://10.0.2.2:9', '--builder-token-file', path.join(folder, 'token')],
    ...['--listen', `0.0.0.0:${guestPort}`, '--kind', 'lab', '--vmm', vmmEntry],
  ])
}

async function killAgent(): Promise<void> {
  agent.kill('SIGKILL')
  assert.equal((await agent.exit).signal, 'SIGKILL')
}

const online = async (): Promise<boolean> => (await ada.trpc.host.list.query())[0]?.online === true
const vm = (id: number) => ada.trpc.vm.get.query({ id })

describe('the agent dies under the portal', () => {
  before(async () => {
    await buildPrograms()
    lab = await sharedLab()
    folder = path.join(sharedScratch(), 'agent-death')
    await mkdir(path.join(folder, 'images'), { recursive: true })
    await writeFile(path.join(folder, 'token'), agentToken)
    await ensureImage('tiny-linux', { images: path.join(folder, 'images'), cacheDir: cacheDirectory })
    const port = await freePort()
    await lab.forward(port, guestPort)
    startAgent()
    portal = await TestPortal.startWithAgent({ url: `ws://127.0.0.1:${port}`, token: agentToken })
    ada = await portal.setUp()
    await until('the host to be online', online, slow)
  })
  after(async () => {
    await portal?.stop()
    await agent?.stop()
  })

  test('while it creates a VM: the action ends, and nothing is left behind or lost', async () => {
    const { vm: created, action } = await ada.trpc.vm.create.mutate(tinyVm('cut-short'))
    await until(
      'the agent to have begun',
      async () => {
        const now = await vm(created.id)
        return now.action?.status === 'running' && (now.action.progress > 0 || now.state !== 'creating')
      },
      slow,
    )
    await killAgent()
    await until('the portal to say that the host is away', async () => !(await online()), slow)
    startAgent()
    await until('the host to be back', online, slow)
    const ended = await until(
      'the action to end',
      async () => {
        const now = await portal.db.action.findUnique({ where: { id: action.id } })
        return now && now.status !== 'running' ? now : null
      },
      slow,
    )
    if (ended.status === 'success') {
      // The monitor had been started already, and was found again.
      await until('the VM to run', async () => (await vm(created.id)).state === 'running', slow)
    } else {
      assert.match(ended.errorMessage ?? '', /agent|restart/i)
    }
    await ada.trpc.vm.delete
      .mutate({ id: created.id, confirmName: 'cut-short', idempotencyKey: 'delete-cut-short' })
      .catch(() => undefined)
    await until('nothing of it to be left', async () => (await ada.trpc.vm.list.query()).length === 0, slow)
    const left = await lab.run('ls', [`${sharedLabData}/agent-death/vms`])
    assert.equal(left.stdout.trim(), '')
  })

  test('while a VM runs: the VM goes on, its state is unknown for a while, then what it is', async () => {
    const { vm: created } = await ada.trpc.vm.create.mutate(tinyVm('steady'))
    await until(
      'the VM to run',
      async () => {
        const now = await vm(created.id)
        return now.state === 'running' && now.action === null
      },
      slow,
    )
    const monitors = async () => (await lab.run('pgrep', ['-f', 'hearth-vmm/main.js run '])).stdout.trim()
    const before = await monitors()
    assert.notEqual(before, '')
    await killAgent()
    await until('the portal to say that the host is away', async () => !(await online()), slow)
    const away = await vm(created.id)
    assert.equal(away.state, 'unknown')
    assert.equal(away.lastState, 'running')
    startAgent()
    await until('the VM to be known again', async () => (await vm(created.id)).state === 'running', slow)
    assert.equal(await monitors(), before, 'the same process')
    await ada.trpc.vm.power.mutate({ id: created.id, op: 'poweroff', idempotencyKey: 'poweroff-steady' })
    await until(
      'the VM to be off',
      async () => {
        const now = await vm(created.id)
        return now.state === 'stopped' && now.action === null
      },
      slow,
    )
    await ada.trpc.vm.delete.mutate({
      id: created.id,
      confirmName: 'steady',
      idempotencyKey: 'delete-steady',
    })
    await until('the VM to be gone', async () => (await ada.trpc.vm.list.query()).length === 0, slow)
  })
})
