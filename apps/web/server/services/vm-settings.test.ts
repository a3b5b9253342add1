import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HearthError } from '@hearth/shared/errors'
import { GIB, MIB } from '@hearth/shared/units'
import { vmSpecSchema } from '@hearth/shared/vm-spec'
import { codeFrom, createRunning, type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
})
after(() => portal.stop())

const get = (id: number) => ada.trpc.vm.get.query({ id })
const lastAsked = () => portal.agent.asked.at(-1)!
const lastSpec = () => vmSpecSchema.parse((lastAsked().input as { spec: unknown }).spec)
const free = (id: number) =>
  until('it to be free', async () => {
    const vm = await get(id)
    return vm.action === null ? vm : null
  })

async function stopped(name: string) {
  const vm = await createRunning(portal, ada, name)
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  return until('it to be off', async () => {
    const now = await get(vm.id)
    return now.state === 'stopped' ? now : null
  })
}

test('a resize is refused while it runs, and reaches the host when it is off', async () => {
  const running = await createRunning(portal, ada, 'sized')
  assert.deepEqual(running.can.resize, { ok: false, why: 'It is running. Shut it down first.' })
  const resize = { id: running.id, cpus: 2, memoryBytes: 256 * MIB }
  await assert.rejects(ada.trpc.vm.update.mutate(resize), /sized is running. Shut it down first/)
  portal.agent.setVm(running.vmUid, { state: 'stopped' })
  await until('it to be off', async () => (await get(running.id)).can.resize.ok)
  const vm = await ada.trpc.vm.update.mutate(resize)
  assert.deepEqual([vm.cpus, vm.memoryBytes], [2, 256 * MIB])
  assert.deepEqual([lastSpec().cpus, lastSpec().memoryBytes, lastSpec().generation], [2, 256 * MIB, 2])
  portal.agent.finish(lastAsked().actionId)
  await free(running.id)
  assert.equal((await portal.db.vm.findUniqueOrThrow({ where: { id: vm.id } })).previousSpec, null)
  const asked = portal.agent.asked.length
  await ada.trpc.vm.update.mutate(resize)
  assert.equal(portal.agent.asked.length, asked, 'what it has already is not asked for again')
})

test('a size the host or the image cannot have is refused with a sentence, and nothing changes', async () => {
  const vm = await stopped('bounds')
  const cases: [object, string, RegExp][] = [
    [{ cpus: 5 }, 'resource_limit_exceeded', /4 CPUs/],
    [{ memoryBytes: 9 * GIB }, 'resource_limit_exceeded', /8 GiB/],
    [{ cpus: 0 }, 'invalid_input', /./],
    [{ diskBytes: 2 * GIB }, 'invalid_input', /no disk of its own/],
  ]
  for (const [change, code, message] of cases) {
    const call = ada.trpc.vm.update.mutate({ id: vm.id, ...change })
    await assert.rejects(call, message)
    assert.equal(await codeFrom(call), code)
  }
  assert.deepEqual(await get(vm.id), vm)
})

test('what the host does not take is put back as it was: name, size and disk', async () => {
  const created = await ada.trpc.vm.create.mutate({ ...tinyVm('old-name'), diskBytes: 1 * GIB, start: false })
  portal.agent.setVm(created.vm.vmUid, { state: 'stopped' })
  portal.agent.finish(created.action.id)
  const before = await free(created.vm.id)
  const change = { id: before.id, name: 'new-name', cpus: 3, diskBytes: 4 * GIB }
  portal.agent.refusal = new HearthError('no_space', 'This host is full.')
  await assert.rejects(ada.trpc.vm.update.mutate(change), /full/)
  const refused = await get(before.id)
  assert.deepEqual([refused.name, refused.cpus, refused.diskBytes], ['old-name', 1, 1 * GIB])

  // Accepted first and failed later comes to the same.
  await ada.trpc.vm.update.mutate(change)
  assert.equal((await get(before.id)).name, 'new-name')
  portal.agent.finish(lastAsked().actionId, { code: 'internal', message: 'The disk did not grow.' })
  const after = await until('the end', async () => {
    const vm = await get(before.id)
    return vm.action?.status === 'error' ? vm : null
  })
  assert.deepEqual([after.name, after.cpus, after.diskBytes], ['old-name', 1, 1 * GIB])
  const disk = await portal.db.disk.findFirstOrThrow({ where: { vmId: before.id } })
  assert.equal(Number(disk.bytes), 1 * GIB)
  await assert.rejects(
    ada.trpc.vm.update.mutate({ id: before.id, diskBytes: 1 * GIB - MIB }),
    /not shrink|1 GiB|Too small/,
  )
})

test('a name that is taken is refused; a free one goes to the host while the VM runs', async () => {
  const first = await createRunning(portal, ada, 'first')
  await createRunning(portal, ada, 'second')
  assert.equal(
    await codeFrom(ada.trpc.vm.update.mutate({ id: first.id, name: 'second' })),
    'uniqueness_error',
  )
  assert.equal(
    await codeFrom(ada.trpc.vm.update.mutate({ id: first.id, name: 'Not A Name' })),
    'invalid_input',
  )
  await ada.trpc.vm.update.mutate({ id: first.id, name: 'third' })
  assert.equal(lastSpec().name, 'third')
  portal.agent.finish(lastAsked().actionId)
  assert.equal((await free(first.id)).name, 'third')
})

test('a protected VM is not deleted, by nobody, until the protection is off', async () => {
  const vm = await createRunning(portal, ada, 'precious')
  const { action } = await ada.trpc.vm.protect.mutate({ id: vm.id, deleteProtected: true })
  assert.deepEqual([action.status, action.command], ['success', 'protect_vm'])
  assert.match((await get(vm.id)).can.delete.why ?? '', /protected from deletion/)
  const remove = () =>
    ada.trpc.vm.delete.mutate({ id: vm.id, confirmName: 'precious', idempotencyKey: `key-${Math.random()}` })
  assert.equal(await codeFrom(remove()), 'protected')
  await ada.trpc.vm.protect.mutate({ id: vm.id, deleteProtected: false })
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id })
  assert.deepEqual(
    items.slice(0, 2).map(({ kind, status }) => [kind, status]),
    [
      ['vm.protect', 'success'],
      ['vm.protect', 'success'],
    ],
  )
  assert.equal((await remove()).action.command, 'delete_vm')
})

test('labels are replaced as a whole, shown with the VM, and told of once', async () => {
  const vm = await createRunning(portal, ada, 'labelled')
  const labels = { env: 'home', 'example.org/tier': '' }
  assert.deepEqual((await ada.trpc.vm.update.mutate({ id: vm.id, labels })).labels, labels)
  await ada.trpc.vm.update.mutate({ id: vm.id, labels })
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id })
  assert.equal(items.filter(({ summary }) => /labels/.test(summary)).length, 1)
  assert.equal(
    await codeFrom(ada.trpc.vm.update.mutate({ id: vm.id, labels: { 'no spaces': 'x' } })),
    'invalid_input',
  )
})

test('a watchdog is a setting, and each time it ran out is in the activity once', async () => {
  const vm = await createRunning(portal, ada, 'watched')
  const update = async (watchdog: 'reset' | 'event' | null) => {
    await ada.trpc.vm.update.mutate({ id: vm.id, watchdog })
    portal.agent.finish(lastAsked().actionId)
    return free(vm.id)
  }
  assert.equal((await update('reset')).watchdog, 'reset')
  assert.equal(lastSpec().watchdog, 'reset')
  const asked = portal.agent.asked.length
  await ada.trpc.vm.update.mutate({ id: vm.id, watchdog: 'reset' })
  assert.equal(portal.agent.asked.length, asked, 'what it has already is not asked for again')
  const told = async (count: number) =>
    until('the activity', async () => {
      const { items } = await ada.trpc.activity.list.query({ vmId: vm.id })
      const bites = items.filter(({ kind }) => kind === 'vm.watchdog')
      return bites.length >= count ? bites : null
    })
  const at = ['2026-01-01T10:00:00.000Z', '2026-01-01T11:00:00.000Z']
  for (const [i, watchdogAt] of at.entries()) {
    portal.agent.setVm(vm.vmUid, { watchdogAt })
    await told(i + 1)
    portal.agent.setVm(vm.vmUid, { watchdogAt, panicked: i > 0 })
  }
  await until('the last report', async () => (await get(vm.id)).panicked || null)
  const bites = await told(2)
  assert.deepEqual(
    bites.map((bite) => [bite.at, bite.summary, bite.actor.kind]).sort(),
    at.map((each) => [each, 'watched hung: its guest did not reload its watchdog', 'system']),
  )
  assert.equal((await update(null)).watchdog, null)
  assert.equal(lastSpec().watchdog, undefined)
})

test('how it starts is a setting of a VM with a disk: firmware, or again as its image does', async () => {
  const without = await stopped('diskless')
  await assert.rejects(ada.trpc.vm.update.mutate({ id: without.id, boot: 'bios' }), /no disk that firmware/)
  const created = await ada.trpc.vm.create.mutate({ ...tinyVm('firmware'), diskBytes: 1 * GIB, start: false })
  portal.agent.finish(lastAsked().actionId)
  const { vm } = created
  await free(vm.id)
  assert.equal((await ada.trpc.vm.update.mutate({ id: vm.id, boot: 'uefi' })).boot, 'uefi')
  assert.equal(lastSpec().boot, 'uefi')
  portal.agent.finish(lastAsked().actionId)
  await free(vm.id)
  assert.equal((await ada.trpc.vm.update.mutate({ id: vm.id, boot: null })).boot, null)
  assert.equal('boot' in lastSpec(), false)
})
