import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { HearthError } from '@hearth/shared/errors'
import type { QuotaKey } from '@hearth/shared/quota'
import { GIB, MIB } from '@hearth/shared/units'
import { TRPCClientError } from '@trpc/client'
import { codeFrom, codeOf, newKey, type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'
import type { QuotaRefusal } from './quota.ts'

let portal: TestPortal
let ada: Person
let mia: Person
let projectId: number

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  const project = await portal.db.project.create({ data: { name: 'Kids' } })
  projectId = project.id
  await portal.restartPortal()
  await portal.untilOnline()
  ada = await portal.signIn()
  mia = await portal.addPerson('Mia', { [projectId]: 'member' })
})
after(() => portal.stop())

beforeEach(async () => {
  for (const [key, max] of Object.entries({ vms: 1000, vcpus: 1000, memory: 1000 * GIB, disk: 1000 * GIB }))
    await limit(key as QuotaKey, max)
})

async function limit(key: QuotaKey, max: number): Promise<void> {
  await portal.db.quota.updateMany({ where: { projectId, key }, data: { max: BigInt(max) } })
}

async function used(): Promise<Record<string, number>> {
  const rows = await portal.db.quota.findMany({ where: { projectId, used: { gt: 0 } } })
  return Object.fromEntries(rows.map((row) => [row.key, Number(row.used)]))
}

async function charged(): Promise<number> {
  return Number((await portal.db.host.findFirstOrThrow()).chargedMemoryBytes)
}

const debian = (name: string) => ({
  ...tinyVm(name),
  imageUid: 'debian-12',
  memoryBytes: 512 * MIB,
  diskBytes: 4 * GIB,
})

async function deleteAll(): Promise<void> {
  for (const vm of await mia.trpc.vm.list.query()) {
    const { action } = await mia.trpc.vm.delete.mutate({
      id: vm.id,
      confirmName: vm.name,
      idempotencyKey: newKey(),
    })
    portal.agent.vms.delete(vm.vmUid)
    portal.agent.emit({ type: 'vm_removed', vmUid: vm.vmUid })
    portal.agent.finish(action.id)
  }
  await until('the VMs to be gone', async () => (await mia.trpc.vm.list.query()).length === 0)
}

test('fifty simultaneous creates never pass the limit and leave no reservation behind', async () => {
  await limit('vcpus', 7)
  const before = await charged()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => codeFrom(mia.trpc.vm.create.mutate(debian(`crowd-${index}`)))),
  )
  assert.equal(answers.filter((code) => code === 'no error').length, 7)
  assert.equal(answers.filter((code) => code === 'resource_limit_exceeded').length, 43)
  assert.deepEqual(await used(), { vms: 7, vcpus: 7, memory: 7 * 512 * MIB, disk: 7 * 4 * GIB })
  assert.equal(await charged(), before + 7 * 512 * MIB)

  for (const vm of await mia.trpc.vm.list.query()) {
    assert.ok(vm.action)
    portal.agent.setVm(vm.vmUid, { state: 'running' })
    portal.agent.finish(vm.action.id)
  }
  await until('all to run', async () => (await mia.trpc.vm.list.query()).every(({ action }) => !action))
  assert.equal((await used()).vcpus, 7)
  await deleteAll()
  assert.deepEqual(await used(), {})
  assert.equal(await charged(), before)
})

test('fifty simultaneous creates that the host refuses, or that fail later, leave nothing behind', async () => {
  await limit('vms', 20)
  portal.agent.refuse = () => new HearthError('no_space', 'The disk is full.')
  const refused = await Promise.all(
    Array.from({ length: 50 }, (_, index) => codeFrom(mia.trpc.vm.create.mutate(debian(`doomed-${index}`)))),
  )
  portal.agent.refuse = null
  assert.ok(
    refused.every((code) => ['no_space', 'resource_limit_exceeded'].includes(code)),
    refused.join(),
  )
  assert.deepEqual(await used(), {})

  const made = await mia.trpc.vm.create.mutate(debian('fails-later'))
  assert.equal((await used()).vcpus, 1)
  portal.agent.finish(made.action.id, { code: 'vmm_failed', message: 'It broke.' })
  await until('the failure', async () => (await used()).vcpus === undefined)
  // It is still there, and so is its disk, until somebody deletes it.
  assert.deepEqual(await used(), { vms: 1, disk: 4 * GIB })
  await deleteAll()
  assert.deepEqual(await used(), {})
})

test('vCPU and memory follow the VM: stop, crash, start, a start refused for want of them', async () => {
  await limit('vcpus', 1)
  const { vm, action } = await mia.trpc.vm.create.mutate(debian('follows'))
  portal.agent.setVm(vm.vmUid, { state: 'running', since: new Date().toISOString() })
  portal.agent.finish(action.id)
  await until('it to run', async () => (await mia.trpc.vm.get.query({ id: vm.id })).action === null)
  const second = await mia.trpc.vm.create.mutate({ ...debian('second'), start: false })
  portal.agent.setVm(second.vm.vmUid, { state: 'stopped' })
  portal.agent.finish(second.action.id)
  await until(
    'the other',
    async () => (await mia.trpc.vm.get.query({ id: second.vm.id })).state === 'stopped',
  )
  assert.deepEqual(await used(), { vms: 2, vcpus: 1, memory: 512 * MIB, disk: 8 * GIB })
  const start = (id: number) => mia.trpc.vm.power.mutate({ id, op: 'start', idempotencyKey: newKey() })
  assert.equal(await codeFrom(start(second.vm.id)), 'resource_limit_exceeded')
  assert.equal((await mia.trpc.vm.get.query({ id: second.vm.id })).action, null)

  portal.agent.setVm(vm.vmUid, { state: 'crashed', since: new Date().toISOString() })
  await until('the crash to be counted', async () => (await used()).vcpus === undefined)
  const started = await start(second.vm.id)
  assert.equal((await used()).vcpus, 1)
  // Told before the state it led to: what it took stays taken.
  portal.agent.finish(started.action.id)
  await until('the end', async () => (await mia.trpc.vm.get.query({ id: second.vm.id })).action === null)
  assert.equal((await used()).vcpus, 1)
  portal.agent.setVm(second.vm.vmUid, { state: 'running', since: new Date().toISOString() })
  // A VM that its host starts by itself counts although the limit is reached: what runs runs.
  portal.agent.setVm(vm.vmUid, { state: 'running', since: new Date().toISOString() })
  await until('both to count', async () => (await used()).vcpus === 2)
  portal.agent.setVm(vm.vmUid, { state: 'stopped', since: new Date().toISOString() })
  portal.agent.setVm(second.vm.vmUid, { state: 'stopped', since: new Date().toISOString() })
  await until('both to be off', async () => (await used()).vcpus === undefined)
  await deleteAll()
})

test('growing a disk takes from the quota and a refused growth takes nothing', async () => {
  await limit('disk', 6 * GIB)
  const { vm, action } = await mia.trpc.vm.create.mutate({ ...debian('grows'), start: false })
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  portal.agent.finish(action.id)
  await until('it to be made', async () => (await mia.trpc.vm.get.query({ id: vm.id })).action === null)
  const grow = (gib: number) =>
    mia.trpc.vm.update.mutate({ id: vm.id, diskBytes: gib * GIB, idempotencyKey: newKey() })
  assert.equal(await codeFrom(grow(7)), 'resource_limit_exceeded')
  const grown = await grow(6)
  assert.equal((await used()).disk, 6 * GIB)
  portal.agent.finish(grown.action!.id, { code: 'no_space', message: 'No space.' })
  await until('it to be taken back', async () => (await used()).disk === 4 * GIB)
  await deleteAll()
})

test('a refusal names what, how much, what is left and who can raise it', async () => {
  await limit('vcpus', 1)
  await limit('memory', 256 * MIB)
  const error = await mia.trpc.vm.create
    .mutate({ ...debian('greedy'), cpus: 2 })
    .catch((caught: unknown) => caught)
  assert.equal(codeOf(error), 'resource_limit_exceeded')
  assert.ok(error instanceof TRPCClientError)
  assert.equal(
    error.message,
    'Kids: 1 vCPU left (the quota is 1), and this needs 2; 256 MiB of memory left (the quota is 256 MiB), and this needs 512 MiB. Ada can raise the quota.',
  )
  const { quota } = error.data as { quota: QuotaRefusal }
  assert.equal(quota.projectId, projectId)
  assert.deepEqual(
    quota.shortfalls.map(({ key, asked, left }) => [key, asked, left]),
    [
      ['vcpus', 2, 1],
      ['memory', 512 * MIB, 256 * MIB],
    ],
  )
  await limit('vm_vcpus', 1)
  await limit('vcpus', 100)
  await limit('memory', 100 * GIB)
  const big = await mia.trpc.vm.create.mutate({ ...debian('big'), cpus: 2 }).catch((caught: Error) => caught)
  assert.match(String(big), /a VM may have at most 1 vCPU, and this one asks for 2/)
  assert.deepEqual(await used(), {})
})

test('the host’s own memory is a limit of its own, with its own words; the administrator may overcommit it', async () => {
  const create = (name: string) => ada.trpc.vm.create.mutate({ ...debian(name), memoryBytes: 5 * GIB })
  const first = await create('half')
  const error = await create('other-half').catch((caught: unknown) => caught)
  assert.equal(codeOf(error), 'resource_limit_exceeded')
  assert.match(String(error), /fakebox has 2.5 GiB of memory left for VMs.*nothing to do with it/)
  assert.equal((error as { data?: { quota?: unknown } }).data?.quota, undefined)
  await portal.db.home.update({ where: { id: 1 }, data: { memoryPercent: 200 } })
  const second = await create('other-half')
  for (const { vm } of [first, second]) {
    const { action } = await ada.trpc.vm.delete
      .mutate({ id: vm.id, confirmName: vm.name, idempotencyKey: newKey() })
      .catch(() => ({ action: null }))
    // Still being created: it cannot be deleted, but the failure of its creation gives everything back.
    assert.equal(action, null)
  }
  portal.agent.finish(first.action.id, { code: 'vmm_failed', message: 'It broke.' })
  portal.agent.finish(second.action.id, { code: 'vmm_failed', message: 'It broke.' })
  await until('nothing to be charged', async () => (await charged()) === 0)
})

test('a portal that ends in the middle counts anew at its next start', async () => {
  const { vm, action } = await mia.trpc.vm.create.mutate(debian('survivor'))
  const right = await used()
  assert.equal(right.vcpus, 1)
  await portal.db.quota.updateMany({
    where: { projectId, key: { in: ['vcpus', 'disk'] } },
    data: { used: 4711n },
  })
  await portal.restartPortal()
  await portal.untilOnline()
  assert.deepEqual(await used(), right)
  portal.agent.finish(action.id, { code: 'vmm_failed', message: 'It broke.' })
  await until('the failure to be counted', async () => (await used()).vcpus === undefined)
  // The host forgets it: nothing runs that could be charged.
  portal.agent.vms.delete(vm.vmUid)
  await portal.restartPortal()
  assert.deepEqual(await used(), { vms: 1, disk: 4 * GIB })
})
