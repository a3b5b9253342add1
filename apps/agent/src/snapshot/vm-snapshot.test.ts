/** The real agent with a stand-in for hearth-vmm: snapshots of stopped and of running VMs, back and onwards. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import {
  actionEnd,
  collectEvents,
  nextActionId,
  testSpec,
  until,
  untilState,
  vmReport,
} from '../testing/agent-harness.ts'
import { BoxOfVms } from '../testing/box-of-vms.ts'
import { listenAsGuest } from '../testing/guest-agent-server.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { vmSockets } from '../vmm/launch.ts'

inOwnNetwork(import.meta.url, () => {
  const vms = new BoxOfVms({ imageUid: 'disk', diskBytes: 8 * MIB, cloudInit: true }, { imageUid: 'memory' })

  const disk = (vmUid: string) => join(vms.box.state, 'vms', vmUid, 'disk.raw')
  const snapshotFolder = (uid: string) => join(vms.box.state, 'snapshots', uid)
  async function write(vmUid: string, text: string) {
    const file = await open(disk(vmUid), 'r+')
    await file.write(text, 4 * MIB)
    await file.close()
  }
  async function read(path: string) {
    const file = await open(path)
    const { buffer } = await file.read(Buffer.alloc(5), 0, 5, 4 * MIB)
    await file.close()
    return buffer.toString()
  }
  const create = (image: string, start: boolean) =>
    vms.create({ image, ...(image === 'disk' ? { diskBytes: 1 * GIB } : {}) }, start)
  async function take(vmUid: string, snapshotUid: string = randomUUID()) {
    const actionId = nextActionId()
    await vms.agent.client.vm.snapshot.mutate({ actionId, vmUid, snapshotUid })
    return { snapshotUid, report: await actionEnd(vms.agent, actionId) }
  }
  async function restore(vmUid: string, snapshotUid: string) {
    const actionId = nextActionId()
    await vms.agent.client.vm.restore.mutate({ actionId, vmUid, snapshotUid })
    return actionEnd(vms.agent, actionId)
  }

  test('a stopped VM goes back to what its disk held, and keeps the size the disk has grown to', async () => {
    const { events, stop } = collectEvents(vms.agent)
    const spec = await create('disk', false)
    await write(spec.vmUid, 'first')
    const { snapshotUid, report } = await take(spec.vmUid)
    assert.equal(report.status, 'success', JSON.stringify(report))
    await until('the event', () => events.some((event) => event.type === 'vm_snapshot'))
    const event = events.find((one) => one.type === 'vm_snapshot')
    assert.equal(event?.snapshot.consistency, 'stopped')
    assert.equal(event?.snapshot.diskBytes, 1 * GIB)
    assert.ok(event && event.snapshot.storedBytes > 0 && event.snapshot.storedBytes < 1 * GIB)
    stop()

    await write(spec.vmUid, 'later')
    const actionId = nextActionId()
    const grown = { ...spec, generation: 2, diskBytes: 2 * GIB }
    await vms.agent.client.vm.update.mutate({ actionId, spec: grown })
    await actionEnd(vms.agent, actionId)
    assert.equal((await restore(spec.vmUid, snapshotUid)).status, 'success')
    assert.equal(await read(disk(spec.vmUid)), 'first')
    assert.equal((await stat(disk(spec.vmUid))).size, 2 * GIB)
    assert.equal(await read(join(snapshotFolder(snapshotUid), 'disk.raw')), 'first')
    assert.deepEqual(
      (await readdir(join(vms.box.state, 'vms', spec.vmUid))).filter((name) => name.startsWith('.tmp-')),
      [],
    )
  })

  test('a guest is the same one at every start, and another one after its disk went back', async () => {
    const spec = await create('disk', false)
    const identity = async (): Promise<string> => {
      const log = join(vms.box.state, 'vms', spec.vmUid, 'serial.log')
      await rm(log, { force: true })
      await vms.power(spec.vmUid, 'start')
      const pattern = /stand-in \S+ booted as (\S{36})/
      const said = await until('the identity', async () =>
        pattern.exec(await readFile(log, 'latin1').catch(() => '')),
      )
      await vms.power(spec.vmUid, 'poweroff')
      return said[1]!
    }
    const first = await identity()
    assert.equal(await identity(), first)
    const { snapshotUid } = await take(spec.vmUid)
    assert.equal(await identity(), first)
    assert.equal((await restore(spec.vmUid, snapshotUid)).status, 'success')
    const second = await identity()
    assert.notEqual(second, first)
    assert.equal(await identity(), second)
  })

  test('a running VM is held still for its snapshot, runs on, and is not taken back while it runs', async () => {
    const spec = await create('disk', true)
    const since = (await untilState(vms.agent, spec.vmUid, 'running')).since
    const { events, stop } = collectEvents(vms.agent)
    const { snapshotUid, report } = await take(spec.vmUid)
    assert.equal(report.status, 'success', JSON.stringify(report))
    const after = await untilState(vms.agent, spec.vmUid, 'running')
    assert.equal(after.since, since, 'it has run since before')
    await until('the pause', () => events.some((one) => one.type === 'vm' && one.vm.state === 'paused'))
    const event = await until('the snapshot', () => events.find((one) => one.type === 'vm_snapshot'))
    assert.ok(event.type === 'vm_snapshot' && event.snapshot.consistency === 'paused')
    stop()
    await assert.rejects(restore(spec.vmUid, snapshotUid), /while it is stopped/)
  })

  test('a guest whose agent answers has its file systems held still for the copy, and let go after it', async () => {
    const spec = await create('disk', true)
    const interfaces = [{ 'hardware-address': spec.mac, 'ip-addresses': [{ 'ip-address': '192.0.2.77' }] }]
    const asked: string[] = []
    const { events, stop } = collectEvents(vms.agent)
    const guest = await listenAsGuest(vmSockets(vms.box.runDir, spec.vmUid).guestAgent, ({ execute }) => {
      if (execute.includes('fsfreeze')) asked.push(execute)
      return JSON.stringify({ return: execute.includes('interfaces') ? interfaces : 1 })
    })
    await until('the agent to be known', async () =>
      (await vmReport(vms.agent, spec.vmUid))?.addresses.includes('192.0.2.77'),
    )
    const { report } = await take(spec.vmUid)
    assert.equal(report.status, 'success', JSON.stringify(report))
    const event = await until('the snapshot', () => events.find((one) => one.type === 'vm_snapshot'))
    assert.ok(event.type === 'vm_snapshot' && event.snapshot.consistency === 'frozen')
    assert.deepEqual(asked, ['guest-fsfreeze-freeze', 'guest-fsfreeze-thaw'])
    assert.deepEqual((await vmReport(vms.agent, spec.vmUid))?.addresses.includes('192.0.2.77'), true)
    stop()
    guest.stop()
  })

  test('a new VM is made from a snapshot, with its own identity; deleting the first takes its snapshots', async () => {
    const spec = await create('disk', false)
    await write(spec.vmUid, 'inner')
    const { snapshotUid } = await take(spec.vmUid)
    const copy = testSpec({ image: 'disk', name: 'copy', diskBytes: 2 * GIB })
    const actionId = nextActionId()
    await vms.agent.client.vm.create.mutate({ actionId, spec: copy, start: true, snapshotUid })
    assert.equal((await actionEnd(vms.agent, actionId)).status, 'success')
    await untilState(vms.agent, copy.vmUid, 'running')
    assert.equal(await read(disk(copy.vmUid)), 'inner')
    assert.equal((await stat(disk(copy.vmUid))).size, 2 * GIB)
    assert.ok(existsSync(join(vms.box.state, 'vms', copy.vmUid, 'seed.iso')))
    await assert.rejects(restore(copy.vmUid, snapshotUid), /of another VM/)

    const deletion = nextActionId()
    await vms.agent.client.vm.delete.mutate({ actionId: deletion, vmUid: spec.vmUid })
    assert.equal((await actionEnd(vms.agent, deletion)).status, 'success')
    assert.equal(existsSync(snapshotFolder(snapshotUid)), false)
    assert.equal((await vmReport(vms.agent, copy.vmUid))?.state, 'running')
  })

  test('snapshots are there again after a restart of the agent; a half-made one is not', async () => {
    const spec = await create('disk', false)
    const { snapshotUid } = await take(spec.vmUid)
    await vms.restart('SIGKILL', async () => {
      await mkdir(join(vms.box.state, 'snapshots', `.tmp-${randomUUID()}`))
    })
    const { events, stop } = collectEvents(vms.agent)
    const first = await until('the first event', () => events.find((one) => one.type === 'snapshot'))
    stop()
    assert.ok(first.type === 'snapshot' && first.vmSnapshots.some((one) => one.snapshotUid === snapshotUid))
    assert.ok((await readdir(join(vms.box.state, 'snapshots'))).every((name) => !name.startsWith('.tmp-')))

    const actionId = nextActionId()
    await vms.agent.client.vm.deleteSnapshot.mutate({ actionId, vmUid: spec.vmUid, snapshotUid })
    assert.equal((await actionEnd(vms.agent, actionId)).status, 'success')
    assert.equal(existsSync(snapshotFolder(snapshotUid)), false)
    await assert.rejects(restore(spec.vmUid, snapshotUid), /does not exist/)
  })

  test('what has no disk has nothing to keep', async () => {
    const spec = await create('memory', false)
    await assert.rejects(take(spec.vmUid), /runs from memory/)
  })
})
