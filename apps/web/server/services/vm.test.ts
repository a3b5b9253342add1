import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HearthError } from '@hearth/shared/errors'
import { GIB, MIB } from '@hearth/shared/units'
import { vmSpecSchema } from '@hearth/shared/vm-spec'
import {
  codeFrom,
  createRunning,
  newKey,
  type Person,
  TestPortal,
  tinyVm,
  until,
} from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
})
after(() => portal.stop())

const get = (id: number) => ada.trpc.vm.get.query({ id })
const debian = (name: string) => ({
  ...tinyVm(name),
  imageUid: 'debian-12',
  memoryBytes: 512 * MIB,
})

test('a VM from creation to deletion, as a page sees it', async () => {
  const seen: string[] = []
  const watching = ada.trpc.vm.watch.subscribe(undefined, {
    onData: (vms) => {
      const vm = vms.find(({ name }) => name === 'web-1')
      seen.push(vm ? `${vm.state}${vm.action ? ` ${vm.action.progress}` : ''}` : 'none')
    },
  })
  await until('the first list', () => seen.length > 0)
  assert.deepEqual(seen, ['none'])

  const { vm, action } = await ada.trpc.vm.create.mutate(tinyVm('web-1'))
  assert.equal(vm.desiredState, 'running')
  assert.equal(action.command, 'create_vm')
  assert.equal(vm.can.start.ok, false)
  portal.agent.progress(action.id, 40, 'Copying the image')
  await until('the progress', async () => (await get(vm.id)).action?.progress === 40)
  assert.equal((await get(vm.id)).action?.step, 'Copying the image')
  portal.agent.setVm(vm.vmUid, { state: 'running', addresses: ['10.87.0.2'] })
  portal.agent.finish(action.id)
  const running = await until('it to run', async () => {
    const now = await get(vm.id)
    return now.state === 'running' && now.action === null ? now : null
  })
  await until('the page to show it running', () => seen.at(-1) === 'running')
  assert.deepEqual(running.addresses, ['10.87.0.2'])
  assert.equal(running.stateReason, null)
  assert.deepEqual(running.can.shutdown, { ok: true, why: null })
  assert.deepEqual(running.can.start, { ok: false, why: 'It is running.' })

  // On its way down and up again it keeps what it is charged; a start that fails leaves it off.
  const charged = async () => (await portal.db.vm.findUniqueOrThrow({ where: { id: vm.id } })).chargedCpus
  const reboot = await ada.trpc.vm.power.mutate({ id: vm.id, op: 'reboot', idempotencyKey: newKey() })
  assert.equal(reboot.vm.desiredState, 'running')
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  await until('it to be down', async () => (await get(vm.id)).state === 'stopped')
  assert.equal(await charged(), 1)
  portal.agent.finish(reboot.action.id, { code: 'vmm_failed', message: 'No memory.' })
  await until('the failure', async () => (await get(vm.id)).desiredState === 'stopped')
  assert.equal(await charged(), 0)
  const start = await ada.trpc.vm.power.mutate({ id: vm.id, op: 'start', idempotencyKey: newKey() })
  portal.agent.setVm(vm.vmUid, { state: 'running' })
  portal.agent.finish(start.action.id)
  await until('it to run again', async () => (await get(vm.id)).can.shutdown.ok)

  const shutdown = await ada.trpc.vm.power.mutate({ id: vm.id, op: 'shutdown', idempotencyKey: newKey() })
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  portal.agent.finish(shutdown.action.id)
  await until('it to stop', async () => (await get(vm.id)).can.start.ok)

  assert.equal(
    await codeFrom(ada.trpc.vm.delete.mutate({ id: vm.id, confirmName: 'web', idempotencyKey: newKey() })),
    'invalid_input',
  )
  const gone = await ada.trpc.vm.delete.mutate({ id: vm.id, confirmName: 'web-1', idempotencyKey: newKey() })
  assert.equal(gone.vm.desiredState, 'deleted')
  portal.agent.vms.delete(vm.vmUid)
  portal.agent.emit({ type: 'vm_removed', vmUid: vm.vmUid })
  portal.agent.finish(gone.action.id)
  await until('the page to show it gone', () => seen.at(-1) === 'none')
  assert.equal(await codeFrom(get(vm.id)), 'not_found')
  watching.unsubscribe()

  // The row, its disk history and its activity stay.
  const row = await portal.db.vm.findUniqueOrThrow({ where: { id: vm.id } })
  assert.ok(row.deletedAt)
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id, limit: 50 })
  assert.deepEqual(
    items.map(({ kind, status, actor, from }) => [kind, status, actor.name, from]),
    [
      ['vm.delete', 'success', 'Ada', '127.0.0.1'],
      ['vm.shutdown', 'success', 'Ada', '127.0.0.1'],
      ['vm.start', 'success', 'Ada', '127.0.0.1'],
      ['vm.reboot', 'error', 'Ada', '127.0.0.1'],
      ['vm.create', 'success', 'Ada', '127.0.0.1'],
    ],
  )
})

test('of many creations with one name at once exactly one wins; a deleted name is free again', async () => {
  const results = await Promise.all(
    Array.from({ length: 5 }, () => codeFrom(ada.trpc.vm.create.mutate(tinyVm('twin')))),
  )
  assert.deepEqual(results.sort(), ['no error', ...Array(4).fill('uniqueness_error')])
  const [vm] = (await ada.trpc.vm.list.query()).filter(({ name }) => name === 'twin')
  portal.agent.finish(vm!.action!.id)
  await until('the creation to end', async () => (await get(vm!.id)).action === null)
  const gone = await ada.trpc.vm.delete.mutate({ id: vm!.id, confirmName: 'twin', idempotencyKey: newKey() })
  // While it is being deleted the name is still taken.
  assert.equal(await codeFrom(ada.trpc.vm.create.mutate(tinyVm('twin'))), 'uniqueness_error')
  portal.agent.finish(gone.action.id)
  await until('the deletion', async () => (await codeFrom(get(vm!.id))) === 'not_found')
  assert.equal(await codeFrom(ada.trpc.vm.create.mutate(tinyVm('twin'))), 'no error')
})

test('the database itself refuses a second VM of a name', async () => {
  const vm = await portal.db.vm.findFirstOrThrow({ where: { deletedAt: null } })
  const { id: _, ...copy } = vm
  await assert.rejects(
    portal.db.vm.create({ data: { ...copy, vmUid: crypto.randomUUID(), mac: '52:54:00:00:00:01' } }),
    { code: 'P2002' },
  )
})

test('the same idempotency key returns the first result, also at the same time; with another request it is refused', async () => {
  const input = tinyVm('once')
  const before = portal.agent.asked.length
  const answers = await Promise.all([1, 2, 3].map(() => ada.trpc.vm.create.mutate(input)))
  assert.equal(new Set(answers.map(({ vm }) => vm.id)).size, 1)
  assert.equal(new Set(answers.map(({ action }) => action.id)).size, 1)
  assert.equal(portal.agent.asked.length, before + 1)
  assert.equal(await codeFrom(ada.trpc.vm.create.mutate({ ...input, name: 'another' })), 'conflict')
  portal.agent.finish(answers[0]!.action.id)
})

test('one change of a VM at a time, except power off', async () => {
  const vm = await createRunning(portal, ada, 'busy')
  const power = (op: 'shutdown' | 'reset' | 'poweroff') =>
    ada.trpc.vm.power.mutate({ id: vm.id, op, idempotencyKey: newKey() })
  const results = await Promise.all([codeFrom(power('reset')), codeFrom(power('shutdown'))])
  assert.deepEqual(results.sort(), ['locked', 'no error'])
  const held = await get(vm.id)
  assert.deepEqual(held.can.delete.ok, false)
  assert.deepEqual(held.can.poweroff, { ok: true, why: null })
  const off = await power('poweroff')
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  portal.agent.finish(off.action.id)
  portal.agent.finish(held.action!.id, { code: 'cancelled', message: 'Powered off meanwhile.' })
  await until('it to be free', async () => (await get(vm.id)).can.start.ok)
  assert.equal(await codeFrom(power('reset')), 'invalid_state')
})

test('what the host refuses is the answer, and a refused creation leaves nothing behind', async () => {
  portal.agent.refusal = new HearthError('no_space', 'The host has no room for that.')
  await assert.rejects(ada.trpc.vm.create.mutate(tinyVm('refused')), /no room for that/)
  assert.ok(!(await ada.trpc.vm.list.query()).some(({ name }) => name === 'refused'))
  assert.equal(await codeFrom(ada.trpc.vm.create.mutate(tinyVm('refused'))), 'no error')
})

test('a creation that fails later shows why, and the VM can be deleted though its host has nothing of it', async () => {
  const { vm, action } = await ada.trpc.vm.create.mutate(tinyVm('unlucky'))
  portal.agent.vms.delete(vm.vmUid)
  portal.agent.emit({ type: 'vm_removed', vmUid: vm.vmUid })
  portal.agent.finish(action.id, { code: 'disk_missing', message: 'The disk of the image is gone.' })
  const failed = await until('the failure', async () => {
    const now = await get(vm.id)
    return now.action?.status === 'error' ? now : null
  })
  assert.equal(failed.action?.error?.message, 'The disk of the image is gone.')
  await ada.trpc.vm.delete.mutate({ id: vm.id, confirmName: 'unlucky', idempotencyKey: newKey() })
  await until('it to be gone', async () => (await codeFrom(get(vm.id))) === 'not_found')
})

test('what does not fit is refused with a sentence before the host is asked', async () => {
  const before = portal.agent.asked.length
  const refused: [object, string, RegExp][] = [
    [{ cpus: 5 }, 'resource_limit_exceeded', /4 CPUs/],
    [{ memoryBytes: 9 * GIB }, 'resource_limit_exceeded', /8 GiB/],
    [{ memoryBytes: 256 * MIB }, 'invalid_input', /at least 512 MiB/],
    [{ diskBytes: 1 * GIB }, 'invalid_input', /at least 2 GiB/],
    [{ diskBytes: 101 * GIB }, 'resource_limit_exceeded', /100 GiB/],
    [{ imageUid: 'nothing' }, 'not_found', /no image/],
    [{ imageUid: 'tiny-linux', user: 'ada' }, 'invalid_input', /no cloud-init/],
    [{ sshKeys: ['ssh-ed25519 AAAA'] }, 'invalid_input', /damaged/],
  ]
  for (const [more, code, message] of refused) {
    const call = ada.trpc.vm.create.mutate({ ...debian('misfit'), ...more })
    await assert.rejects(call, message)
    assert.equal(await codeFrom(call), code)
  }
  for (const name of ['../etc', 'Web', '-a', 'a'.repeat(64), ''])
    assert.equal(await codeFrom(ada.trpc.vm.create.mutate(tinyVm(name))), 'invalid_input', name)
  assert.equal(portal.agent.asked.length, before)
})

test('a password reaches the host as a SHA-512 crypt hash and is kept nowhere', async () => {
  const password = 'pässwörd for the guest'
  const { vm } = await ada.trpc.vm.create.mutate({ ...debian('secret'), password, user: 'ada' })
  const asked = portal.agent.asked.at(-1)!
  const spec = vmSpecSchema.parse((asked.input as { spec: unknown }).spec)
  assert.match(spec.cloudInit?.passwordHash ?? '', /^\$6\$/)
  assert.equal(spec.cloudInit?.user, 'ada')
  assert.equal(spec.diskBytes, 2 * GIB)
  assert.equal(vm.loginUser, 'ada')
  const everything = JSON.stringify(
    [await portal.db.vm.findMany(), await portal.db.action.findMany(), await portal.db.activity.findMany()],
    (_key, value) => (typeof value === 'bigint' ? String(value) : value),
  )
  assert.ok(!everything.includes(password))
})

test('start at boot is written to the host with a newer generation; a host that refuses keeps the old', async () => {
  const vm = await createRunning(portal, ada, 'boots')
  const update = ada.trpc.vm.update.mutate({ id: vm.id, startAtBoot: true })
  await update
  const spec = vmSpecSchema.parse((portal.agent.asked.at(-1)!.input as { spec: unknown }).spec)
  assert.equal(spec.startAtBoot, true)
  assert.equal(spec.generation, 2)
  portal.agent.finish(portal.agent.asked.at(-1)!.actionId)
  await until('it to be free', async () => (await get(vm.id)).action === null)
  assert.equal((await get(vm.id)).startAtBoot, true)
  portal.agent.refusal = new HearthError('internal', 'The host could not write it.')
  await assert.rejects(ada.trpc.vm.update.mutate({ id: vm.id, startAtBoot: false }), /could not write/)
  assert.equal((await get(vm.id)).startAtBoot, true)
})

test('a guest that powers itself off is stopped, not missing; a crash is shown as a difference', async () => {
  const vm = await createRunning(portal, ada, 'own-will')
  portal.agent.setVm(vm.vmUid, { state: 'stopped', exitReason: 'The guest powered off.' })
  const off = await until('it to stop', async () => {
    const now = await get(vm.id)
    return now.state === 'stopped' ? now : null
  })
  assert.equal(off.desiredState, 'stopped')
  assert.equal(off.stateReason, null)
  const start = await ada.trpc.vm.power.mutate({ id: vm.id, op: 'start', idempotencyKey: newKey() })
  portal.agent.setVm(vm.vmUid, { state: 'running' })
  portal.agent.finish(start.action.id)
  await until('it to run', async () => (await get(vm.id)).can.shutdown.ok)
  portal.agent.setVm(vm.vmUid, { state: 'crashed', panicked: true, exitReason: 'Triple fault.' })
  const crashed = await until('the crash', async () => {
    const now = await get(vm.id)
    return now.state === 'crashed' ? now : null
  })
  assert.equal(crashed.desiredState, 'running')
  assert.match(crashed.stateReason ?? '', /should run/)
  assert.equal(crashed.panicked, true)
  assert.equal(crashed.can.start.ok, true)
})

test('building an image joins the build under way', async () => {
  const first = await ada.trpc.image.build.mutate({ imageUid: 'absent-1' })
  const second = await ada.trpc.image.build.mutate({ imageUid: 'absent-1' })
  assert.equal(second.id, first.id)
  const images = await ada.trpc.image.list.query()
  const building = images.find(({ uid }) => uid === 'absent-1')
  assert.equal(building?.status, 'building')
  assert.equal(building?.action?.id, first.id)
  portal.agent.finish(first.id, { code: 'image_build_failed', message: 'No mirror answers.' })
  await until('the end', async () => {
    const [action] = await ada.trpc.action.list.query({ limit: 1 })
    return action?.error?.code === 'image_build_failed'
  })
})
