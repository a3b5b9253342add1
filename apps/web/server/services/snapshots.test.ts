import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HearthError } from '@hearth/shared/errors'
import { GIB } from '@hearth/shared/units'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import { codeFrom, newKey, type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
})
after(() => portal.stop())

const get = (id: number) => ada.trpc.vm.get.query({ id })
const list = (vmId: number) => ada.trpc.snapshot.list.query({ vmId })
const finishLast = (error?: { code: 'no_space'; message: string }) =>
  portal.agent.finish(portal.agent.asked.at(-1)!.actionId, error ?? null)
const free = (id: number) => until('it to be free', async () => (await get(id)).action?.status !== 'running')

async function withDisk(name: string, state: 'running' | 'stopped') {
  const { vm, action } = await ada.trpc.vm.create.mutate({ ...tinyVm(name), diskBytes: 1 * GIB })
  portal.agent.setVm(vm.vmUid, { state })
  portal.agent.finish(action.id)
  return until('the VM', async () => {
    const now = await get(vm.id)
    return now.state === state && now.action === null ? now : null
  })
}

async function taken(vmId: number, name?: string) {
  await ada.trpc.snapshot.take.mutate({ vmId, ...(name === undefined ? {} : { name }) })
  finishLast()
  await free(vmId)
  return (await list(vmId)).snapshots[0]!
}

test('a snapshot is taken, shown with its size, gone back to while the VM is off, and deleted', async () => {
  const vm = await withDisk('keeper', 'running')
  assert.equal(vm.can.snapshot.ok, true)
  const { action } = await ada.trpc.snapshot.take.mutate({ vmId: vm.id, name: 'before the upgrade' })
  assert.equal(action.command, 'snapshot_vm')
  const creating = (await list(vm.id)).snapshots[0]!
  assert.deepEqual([creating.name, creating.status], ['before the upgrade', 'creating'])
  assert.equal(creating.can.restore.why, 'It is being taken.')
  finishLast()
  const ready = await until('it', async () => {
    const one = (await list(vm.id)).snapshots[0]
    return one?.status === 'ready' && one.storedBytes !== null ? one : null
  })
  assert.equal(ready.consistency, 'paused')
  const ref = { id: ready.id }
  await assert.rejects(ada.trpc.snapshot.restore.mutate(ref), /keeper is running. Shut it down first/)
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  await until('it to be off', async () => (await get(vm.id)).can.restore.ok)
  await ada.trpc.snapshot.restore.mutate(ref)
  assert.equal(portal.agent.asked.at(-1)?.path, 'vm.restore')
  finishLast()
  await free(vm.id)

  await ada.trpc.snapshot.rename.mutate({ ...ref, name: 'old' })
  await ada.trpc.snapshot.delete.mutate(ref)
  finishLast()
  await until('it to be gone', async () => (await list(vm.id)).snapshots.length === 0)
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id })
  assert.deepEqual(
    items.slice(0, 4).map(({ summary }) => summary),
    [
      'Deleted the snapshot old of keeper',
      'Renamed the snapshot before the upgrade of keeper to old',
      'Took keeper back to the snapshot before the upgrade',
      'Took the snapshot before the upgrade of keeper',
    ],
  )
})

test('one that fails leaves none; without a disk there is nothing to keep', async () => {
  const vm = await withDisk('full', 'stopped')
  await ada.trpc.snapshot.take.mutate({ vmId: vm.id })
  finishLast({ code: 'no_space', message: 'The disk of this host is full.' })
  await free(vm.id)
  assert.deepEqual((await list(vm.id)).snapshots, [])
  portal.agent.refusal = new HearthError('no_space', 'No room.')
  await assert.rejects(ada.trpc.snapshot.take.mutate({ vmId: vm.id }), /No room/)
  assert.deepEqual((await list(vm.id)).snapshots, [])

  const { vm: memory, action } = await ada.trpc.vm.create.mutate(tinyVm('memory-only'))
  portal.agent.finish(action.id)
  await free(memory.id)
  assert.match((await get(memory.id)).can.snapshot.why ?? '', /runs from memory/)
  assert.equal(await codeFrom(ada.trpc.snapshot.take.mutate({ vmId: memory.id })), 'invalid_input')
})

test('a new VM from a snapshot has its disk and login, and a name and address of its own', async () => {
  const vm = await withDisk('origin', 'stopped')
  const snapshot = await taken(vm.id)
  const input = { id: snapshot.id, name: 'offspring', start: false, idempotencyKey: newKey() }
  const made = await ada.trpc.snapshot.createVm.mutate(input)
  const again = await ada.trpc.snapshot.createVm.mutate(input)
  assert.equal(again.vm.id, made.vm.id)
  const asked = portal.agent.asked.at(-1)!.input as { spec: unknown; snapshotUid?: string }
  const row = await portal.db.snapshot.findUniqueOrThrow({ where: { id: snapshot.id } })
  assert.equal(asked.snapshotUid, row.snapshotUid)
  const spec = parseVmSpec(asked.spec)
  assert.deepEqual([spec.name, spec.diskBytes, spec.generation], ['offspring', 1 * GIB, 1])
  assert.ok(spec.mac !== vm.mac && spec.vmUid !== vm.vmUid)
  assert.equal(
    await codeFrom(ada.trpc.snapshot.createVm.mutate({ ...input, idempotencyKey: newKey() })),
    'uniqueness_error',
  )
})

test('what the host has lost is shown as missing', async () => {
  const one = await withDisk('one', 'stopped')
  const snapshot = await taken(one.id)
  const { snapshotUid } = await portal.db.snapshot.findUniqueOrThrow({ where: { id: snapshot.id } })
  portal.agent.snapshots.delete(snapshotUid)
  await portal.agent.stop()
  await portal.agent.start()
  await portal.untilOnline()
  const missing = await until('it to be missing', async () => {
    const [now] = (await list(one.id)).snapshots
    return now?.status === 'missing' ? now : null
  })
  assert.equal(missing.can.restore.ok, false)
  await ada.trpc.snapshot.delete.mutate({ id: snapshot.id })
  await until('it to be gone', async () => (await list(one.id)).snapshots.length === 0)
})

test('a schedule takes what is due, waits for a busy VM, keeps as many as it says and none of its own making', async () => {
  const vm = await withDisk('regular', 'running')
  const byHand = await taken(vm.id, 'by hand')
  const plan = { every: 'day', minute: 180, weekday: 0, keep: 2 } as const
  await ada.trpc.snapshot.schedule.mutate({ vmId: vm.id, schedule: plan })
  const { schedules } = portal.started.portal
  const due = () =>
    portal.db.snapshotSchedule.update({
      where: { vmId: vm.id },
      data: { nextAt: new Date(Date.now() - 1000) },
    })
  const scheduled = async () => (await list(vm.id)).snapshots.filter((one) => one.scheduled)

  for (let count = 0; count < 3; count++) {
    await due()
    await schedules.look()
    // While that one is under way another look takes none and deletes none.
    await schedules.look()
    finishLast()
    await free(vm.id)
  }
  assert.equal((await scheduled()).length, 3)
  assert.ok(new Date((await list(vm.id)).schedule!.nextAt).getTime() > Date.now())
  const [, , oldest] = await scheduled()
  await schedules.look()
  finishLast()
  await until(
    'the oldest to go',
    async () => !(await list(vm.id)).snapshots.some(({ id }) => id === oldest!.id),
  )
  assert.equal((await scheduled()).length, 2)
  assert.ok((await list(vm.id)).snapshots.some(({ id }) => id === byHand.id))
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id })
  assert.equal(items[0]?.actor.kind, 'system')

  await ada.trpc.snapshot.schedule.mutate({ vmId: vm.id, schedule: null })
  assert.equal((await list(vm.id)).schedule, null)
})

test('a VM that is deleted takes its snapshots along', async () => {
  const vm = await withDisk('doomed', 'stopped')
  const snapshot = await taken(vm.id)
  await ada.trpc.vm.delete.mutate({ id: vm.id, confirmName: 'doomed', idempotencyKey: newKey() })
  finishLast()
  await until('it to be gone', async () => (await codeFrom(get(vm.id))) === 'not_found')
  assert.ok((await portal.db.snapshot.findUniqueOrThrow({ where: { id: snapshot.id } })).deletedAt)
})
