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
const volume = async (id: number) => (await ada.trpc.volume.list.query()).find((one) => one.id === id)
const lastAsked = () => portal.agent.asked.at(-1)!
const finishLast = (error?: { code: 'no_space'; message: string }) =>
  portal.agent.finish(lastAsked().actionId, error ?? null)
const settled = (id: number) =>
  until('it to be free', async () => (await get(id)).action?.status !== 'running')
const diskQuota = async () => {
  const { id: projectId } = await portal.db.project.findFirstOrThrow()
  const row = await portal.db.quota.findFirstOrThrow({ where: { projectId, key: 'disk' } })
  return Number(row.used)
}

async function stopped(name: string) {
  const { vm, action } = await ada.trpc.vm.create.mutate({ ...tinyVm(name), start: false })
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  portal.agent.finish(action.id)
  await settled(vm.id)
  return until('it to be off', async () => {
    const now = await get(vm.id)
    return now.can.resize.ok ? now : null
  })
}

async function made(vmId: number, name: string, bytes = 2 * GIB) {
  const { volume: one } = await ada.trpc.volume.create.mutate({ vmId, name, bytes, format: 'ext4' })
  finishLast()
  await settled(vmId)
  return (await volume(one.id))!
}

test('a new disk is made and attached as one thing, counts for the quota, and is taken back when that fails', async () => {
  const vm = await stopped('host-of-disks')
  const before = await diskQuota()
  const one = await made(vm.id, 'photos')
  const asked = lastAsked().input as { attach: unknown; format: string }
  assert.equal(asked.format, 'ext4')
  const attached = parseVmSpec(asked.attach).volumes
  assert.deepEqual(
    attached?.map(({ serial }) => serial),
    [`volume-${one.id}`],
  )
  assert.deepEqual(
    [one.status, one.vm?.id, one.device],
    ['ready', vm.id, `/dev/disk/by-id/virtio-volume-${one.id}`],
  )
  assert.equal(await diskQuota(), before + 2 * GIB)

  const input = { vmId: vm.id, name: 'films', bytes: 4 * GIB, format: null }
  portal.agent.refusal = new HearthError('no_space', 'This host is full.')
  await assert.rejects(ada.trpc.volume.create.mutate(input), /full/)
  await ada.trpc.volume.create.mutate(input)
  finishLast({ code: 'no_space', message: 'The disk of this host is full.' })
  await settled(vm.id)
  assert.equal((await ada.trpc.volume.list.query()).filter(({ name }) => name === 'films').length, 0)
  assert.equal(await diskQuota(), before + 2 * GIB)
  const row = await portal.db.vm.findUniqueOrThrow({ where: { id: vm.id } })
  assert.deepEqual(parseVmSpec(JSON.parse(row.spec)).volumes, attached)
  assert.equal(
    await codeFrom(ada.trpc.volume.create.mutate({ ...input, name: 'photos' })),
    'uniqueness_error',
  )
})

test('it is detached and attached to another VM, only while both are off', async () => {
  const [one, other] = [await stopped('one'), await stopped('other')]
  const disk = await made(one.id, 'moving')
  await assert.rejects(ada.trpc.volume.attach.mutate({ id: disk.id, vm: other.id }), /one has moving/)
  portal.agent.setVm(one.vmUid, { state: 'running' })
  await until('it to run', async () => !(await get(one.id)).can.resize.ok)
  assert.match((await volume(disk.id))?.can.detach.why ?? '', /Shut it down first/)
  await assert.rejects(ada.trpc.volume.detach.mutate({ id: disk.id }), /Shut it down first/)
  portal.agent.setVm(one.vmUid, { state: 'stopped' })
  await until('it to be off', async () => (await get(one.id)).can.resize.ok)
  await ada.trpc.volume.detach.mutate({ id: disk.id })
  finishLast()
  await settled(one.id)
  assert.equal((await volume(disk.id))?.vm, null)
  await ada.trpc.volume.attach.mutate({ id: disk.id, vm: other.id })
  finishLast({ code: 'no_space', message: 'It could not be written down.' })
  await settled(other.id)
  assert.equal((await volume(disk.id))?.vm, null, 'what the host did not take is put back')
  await ada.trpc.volume.attach.mutate({ id: disk.id, vm: other.id })
  finishLast()
  await settled(other.id)
  assert.equal((await volume(disk.id))?.vm?.name, 'other')

  const elsewhere = await portal.db.project.create({ data: { name: 'Elsewhere' } })
  await portal.db.volume.update({ where: { id: disk.id }, data: { vmId: null } })
  await portal.db.vm.update({ where: { id: other.id }, data: { projectId: elsewhere.id } })
  assert.equal(await codeFrom(ada.trpc.volume.attach.mutate({ id: disk.id, vm: other.id })), 'not_found')
})

test('it grows, not shrinks, and goes back to its size when that fails', async () => {
  const vm = await stopped('growing')
  const disk = await made(vm.id, 'grows')
  const before = await diskQuota()
  await assert.rejects(ada.trpc.volume.resize.mutate({ id: disk.id, bytes: 1 * GIB }), /not shrink/)
  await ada.trpc.volume.resize.mutate({ id: disk.id, bytes: 3 * GIB })
  assert.equal(await codeFrom(ada.trpc.volume.resize.mutate({ id: disk.id, bytes: 5 * GIB })), 'locked')
  finishLast({ code: 'no_space', message: 'Full.' })
  await until('the end', async () => (await volume(disk.id))?.bytes === 2 * GIB)
  assert.equal(await diskQuota(), before)
  await ada.trpc.volume.resize.mutate({ id: disk.id, bytes: 3 * GIB })
  finishLast()
  await until('the end', async () => {
    const row = await portal.db.volume.findUniqueOrThrow({ where: { id: disk.id } })
    return row.previousBytes === null
  })
  assert.equal((await volume(disk.id))?.bytes, 3 * GIB)
  assert.equal(await diskQuota(), before + 1 * GIB)
})

test('a VM that is deleted leaves its disks; one that no VM has is deleted', async () => {
  const vm = await stopped('mortal')
  const disk = await made(vm.id, 'immortal')
  await assert.rejects(ada.trpc.volume.delete.mutate({ id: disk.id }), /mortal has it. Detach it first/)
  await ada.trpc.vm.delete.mutate({ id: vm.id, confirmName: 'mortal', idempotencyKey: newKey() })
  finishLast()
  await until('it to be gone', async () => (await codeFrom(get(vm.id))) === 'not_found')
  assert.equal((await volume(disk.id))?.vm, null)
  const before = await diskQuota()
  await ada.trpc.volume.delete.mutate({ id: disk.id })
  finishLast()
  await until('it to be gone', async () => (await volume(disk.id)) === undefined)
  assert.equal(await diskQuota(), before - 2 * GIB)
})

test('one that no VM has is made for a project, and attached later', async () => {
  const before = await diskQuota()
  const { volume: loose } = await ada.trpc.volume.make.mutate({ name: 'loose', bytes: 3 * GIB, format: null })
  finishLast()
  await until('it to be there', async () => (await volume(loose.id))?.status === 'ready')
  assert.equal(await diskQuota(), before + 3 * GIB)
  assert.equal((await volume(loose.id))?.vm, null)
  await assert.rejects(
    ada.trpc.volume.make.mutate({ name: 'loose', bytes: 3 * GIB, format: null }),
    /There is a volume named loose already/,
  )
  const vm = await stopped('taker')
  await ada.trpc.volume.attach.mutate({ id: loose.id, vm: vm.id })
  finishLast()
  await settled(vm.id)
  assert.equal((await volume(loose.id))?.vm?.name, 'taker')
})
