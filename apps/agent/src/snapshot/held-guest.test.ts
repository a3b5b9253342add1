/**
 * The real agent with a stand-in for hearth-vmm and for the agent in its guest: what becomes of guests that are held
 * still for a snapshot or a backup when the agent is killed, and of those that were paused before.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { actionEnd, nextActionId, until, untilState, vmReport } from '../testing/agent-harness.ts'
import { BoxOfVms } from '../testing/box-of-vms.ts'
import { listenAsGuest } from '../testing/guest-agent-server.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { vmSockets } from '../vmm/launch.ts'

inOwnNetwork(import.meta.url, () => {
  const [image, disk] = [{ diskBytes: 8 * MIB }, { diskBytes: 1 * GIB }]
  const vms = new BoxOfVms(
    { imageUid: 'disk', ...image },
    { imageUid: 'silent', ...image, cmdline: 'silent-pause' },
  )
  const sockets = ({ vmUid }: VmSpec) => vmSockets(vms.box.runDir, vmUid)
  const held = async ({ vmUid }: VmSpec) =>
    JSON.parse(await readFile(join(vms.box.state, 'vms', vmUid, 'state.json'), 'utf8')).held
  const untilKnown = (spec: VmSpec) =>
    until('the agent in the guest to be known', async () =>
      (await vmReport(vms.agent, spec.vmUid))?.addresses.includes('192.0.2.77'),
    )

  /** A guest whose agent answers, and what it was asked about its file systems; without `freezes` it does not say, the first time, that it did. */
  async function guestAgent(spec: VmSpec, { freezes }: { freezes: boolean }) {
    const interfaces = [{ 'hardware-address': spec.mac, 'ip-addresses': [{ 'ip-address': '192.0.2.77' }] }]
    const asked: string[] = []
    const guest = await listenAsGuest(sockets(spec).guestAgent, ({ execute }) => {
      const [, what] = /^guest-fsfreeze-(\w+)$/.exec(execute) ?? []
      if (what !== undefined) asked.push(what)
      if (what === 'freeze' && !freezes && asked.length === 1) return undefined
      return JSON.stringify({ return: execute.includes('interfaces') ? interfaces : 1 })
    })
    return { asked, stop: () => guest.stop() }
  }
  async function beginSnapshot({ vmUid }: VmSpec): Promise<number> {
    const actionId = nextActionId()
    await vms.agent.client.vm.snapshot.mutate({ actionId, vmUid, snapshotUid: randomUUID() })
    return actionId
  }
  /** The command line's way, past the agent. */
  async function pause(spec: VmSpec): Promise<void> {
    const socket = connect(sockets(spec).control)
    socket.write('{"id":1,"method":"pause"}\n')
    await untilState(vms.agent, spec.vmUid, 'paused')
    socket.destroy()
  }

  test('killed before, or after, a guest said that it is frozen: the next agent lets it go', async () => {
    const paused = await vms.create({ image: 'silent', ...disk }, true)
    const asking = await vms.create({ image: 'disk', ...disk }, true)
    const guests = [
      { spec: paused, ...(await guestAgent(paused, { freezes: true })) },
      { spec: asking, ...(await guestAgent(asking, { freezes: false })) },
    ]
    for (const { spec } of guests) await untilKnown(spec)
    const actions = await Promise.all(guests.map(({ spec }) => beginSnapshot(spec)))
    // Its monitor never says that it is paused, so there the agent is caught.
    await untilState(vms.agent, paused.vmUid, 'paused')
    await until('the other to be asked', () => guests[1]!.asked.includes('freeze'))
    await vms.restart('SIGKILL', async () => {
      for (const { spec, asked } of guests)
        assert.deepEqual([asked, await held(spec)], [['freeze'], 'frozen'])
    })
    for (const [i, { spec, asked, stop }] of guests.entries()) {
      assert.equal((await actionEnd(vms.agent, actions[i]!)).status, 'success')
      await untilState(vms.agent, spec.vmUid, 'running')
      assert.deepEqual([asked[1], asked.at(-1), await held(spec)], ['thaw', 'thaw', undefined])
      stop()
    }
  })

  test('asked to end in the middle the agent lets a guest go; one that was paused before stays paused', async () => {
    const busy = await vms.create({ image: 'disk', ...disk }, true)
    const still = await vms.create({ image: 'disk', ...disk }, true)
    const [busyGuest, stillGuest] = [
      await guestAgent(busy, { freezes: true }),
      await guestAgent(still, { freezes: true }),
    ]
    for (const spec of [busy, still]) await untilKnown(spec)
    await pause(still)
    await vms.done(await beginSnapshot(still))
    const folder = join(vms.box.root, 'backup disk')
    await mkdir(folder)
    await vms.agent.client.backup.setTarget.mutate({ folder })
    const backup = { actionId: nextActionId(), vmUid: still.vmUid, backupUid: randomUUID() }
    await vms.agent.client.backup.take.mutate(backup)
    await vms.done(backup.actionId)
    assert.equal((await vmReport(vms.agent, still.vmUid))?.state, 'paused')

    await beginSnapshot(busy)
    await until('the freeze', () => busyGuest.asked.includes('freeze'))
    await vms.restart('SIGTERM', async () => {
      assert.deepEqual([busyGuest.asked, await held(busy)], [['freeze', 'thaw'], undefined])
    })
    await untilState(vms.agent, busy.vmUid, 'running')
    await untilState(vms.agent, still.vmUid, 'paused')
    await vms.done(await beginSnapshot(still))
    assert.equal((await vmReport(vms.agent, still.vmUid))?.state, 'paused')
    assert.deepEqual(stillGuest.asked, [])
    for (const guest of [busyGuest, stillGuest]) guest.stop()
  })
})
