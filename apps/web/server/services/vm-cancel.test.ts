/** Creations that wait for their image, and those a person cancels. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import { codeFrom, type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person
let home: number

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  home = (await ada.trpc.project.list.query())[0]!.id
  // A quota, so that what is reserved can be seen.
  await ada.trpc.quota.set.mutate({ projectId: home, limits: { vms: 10, vcpus: 10, disk: 100 * GIB } })
})
after(() => portal.stop())

const used = async () => {
  const { quota } = (await ada.trpc.project.list.query()).find(({ id }) => id === home)!
  return ['vms', 'vcpus', 'disk'].map((key) => quota.find((line) => line.key === key)?.used)
}
const get = (id: number) => ada.trpc.vm.get.query({ id })
const gone = (id: number) => until('it to be gone', async () => (await codeFrom(get(id))) === 'not_found')

test('cancelled, a creation leaves no VM, no disk, no reservation and no secret, but its activity', async () => {
  const { vm, action } = await ada.trpc.vm.create.mutate({
    ...tinyVm('unwanted'),
    imageUid: 'debian-12',
    memoryBytes: 512 * MIB,
    password: 'correct horse',
  })
  portal.agent.progress(action.id, 40, 'Copying the image')
  const under = await until('the step', async () => {
    const now = await get(vm.id)
    return now.action?.step === 'Copying the image' ? now : null
  })
  assert.deepEqual(under.can.cancel, { ok: true, why: null })
  assert.deepEqual(under.action?.steps.at(-1)?.phase, 'disk')
  assert.deepEqual(await used(), [1, 1, 2 * GIB])
  const cancelled = await ada.trpc.vm.cancel.mutate({ id: vm.id })
  assert.equal(cancelled.action.cancelled, true)
  await gone(vm.id)
  assert.deepEqual(await used(), [0, 0, 0])
  assert.equal(await portal.db.disk.count({ where: { vmId: vm.id, deletedAt: null } }), 0)
  const row = await portal.db.vm.findUniqueOrThrow({ where: { id: vm.id } })
  assert.doesNotMatch(row.spec, /passwordHash/)
  const host = await portal.db.host.findFirstOrThrow()
  assert.equal(host.chargedMemoryBytes, 0n)
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id, limit: 50 })
  assert.deepEqual(
    items.map(({ kind, status, summary }) => [kind, status, summary]),
    [
      ['vm.cancel', 'success', 'Cancelled the creation of unwanted'],
      ['vm.create', 'error', 'Created the VM unwanted from Debian 12'],
    ],
  )
  assert.equal(await codeFrom(ada.trpc.vm.create.mutate(tinyVm('unwanted'))), 'no error')
})

test('only a creation that is under way can be cancelled, by those who may change the VM', async () => {
  const { vm, action } = await ada.trpc.vm.create.mutate(tinyVm('steady'))
  const vera = await portal.addPerson('Vera', { [home]: 'viewer' })
  assert.equal(await codeFrom(vera.trpc.vm.cancel.mutate({ id: vm.id })), 'forbidden')
  portal.agent.setVm(vm.vmUid, { state: 'running' })
  portal.agent.finish(action.id)
  await until('it to run', async () => (await get(vm.id)).action === null)
  assert.deepEqual((await get(vm.id)).can.cancel, { ok: false, why: 'It is created already.' })
  assert.equal(await codeFrom(ada.trpc.vm.cancel.mutate({ id: vm.id })), 'invalid_state')
})

test('cancelled while the host is away, it ends when the host is back, also after a restart of the portal', async () => {
  const { vm } = await ada.trpc.vm.create.mutate(tinyVm('patient'))
  await portal.agent.stop()
  await portal.untilAway()
  const { action } = await ada.trpc.vm.cancel.mutate({ id: vm.id })
  assert.equal(action.status, 'running')
  assert.deepEqual((await get(vm.id)).can.cancel, { ok: false, why: 'It is being cancelled.' })
  await portal.restartPortal()
  await portal.agent.start()
  await portal.untilOnline()
  await gone(vm.id)
  assert.ok(
    portal.agent.asked.some(({ path, actionId }) => path === 'action.cancel' && actionId === action.id),
  )
})

test('one that the host never got ends in the portal alone', async () => {
  portal.agent.silent = true
  // Answered only when the link breaks; nobody waits for it.
  const asking = codeFrom(ada.trpc.vm.create.mutate(tinyVm('lost')))
  const vm = await until('the row', () => portal.db.vm.findFirst({ where: { name: 'lost' } }))
  await until('the host to be asked', () =>
    portal.agent.asked.some(({ path, actionId }) => path === 'vm.create' && actionId === vm.heldByActionId),
  )
  await portal.agent.stop()
  portal.agent.silent = false
  await portal.untilAway()
  await ada.trpc.vm.cancel.mutate({ id: vm.id })
  await portal.agent.start()
  await portal.untilOnline()
  await gone(vm.id)
  assert.notEqual(await asking, 'forbidden')
  assert.equal(portal.agent.actions.has(vm.heldByActionId ?? 0), false)
})

test('an image that is not here is fetched first for an administrator; a member is told whom to ask', async () => {
  const mia = await portal.addPerson('Mia', { [home]: 'member' })
  const wanted = { ...tinyVm('early'), imageUid: 'absent-1' }
  await assert.rejects(mia.trpc.vm.create.mutate(wanted), /Ask an administrator to build or download it/)
  const { vm } = await ada.trpc.vm.create.mutate(wanted)
  const asked = portal.agent.asked.slice(-2).map(({ path }) => path)
  assert.deepEqual(asked, ['image.build', 'vm.create'])
  // Now that it is under way it can be waited for.
  const copy = portal.agent.images.find(({ imageUid }) => imageUid === 'absent-1')!
  portal.agent.emit({ type: 'image', image: { ...copy, status: 'building', progress: 10 } })
  await until('it to be shown', async () =>
    (await ada.trpc.image.list.query()).some(
      ({ uid, status }) => uid === 'absent-1' && status === 'building',
    ),
  )
  const second = await mia.trpc.vm.create.mutate({ ...tinyVm('too-early'), imageUid: 'absent-1' })
  for (const { id } of [vm, second.vm]) {
    await ada.trpc.vm.cancel.mutate({ id })
    await gone(id)
  }
})
