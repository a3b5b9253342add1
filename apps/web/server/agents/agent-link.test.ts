import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  codeFrom,
  createRunning,
  newKey,
  type Person,
  TestPortal,
  tinyVm,
  until,
} from '../testing/test-portal.ts'

async function start(t: TestContext): Promise<{ portal: TestPortal; ada: Person }> {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  return { portal, ada: await portal.setUp() }
}

test('a host that goes away is shown away, its VMs unknown; back, they are as it says', async (t) => {
  const { portal, ada } = await start(t)
  const vm = await createRunning(portal, ada, 'steady')
  await portal.agent.stop()
  await portal.untilAway()
  const away = await ada.trpc.vm.get.query({ id: vm.id })
  assert.equal(away.state, 'unknown')
  assert.equal(away.lastState, 'running')
  assert.match(away.stateReason ?? '', /host is away/)
  assert.deepEqual(away.can.shutdown, { ok: false, why: 'Its host is away.' })
  assert.equal((await ada.trpc.host.list.query())[0]?.online, false)
  const before = await portal.db.action.count()
  assert.equal(await codeFrom(ada.trpc.vm.create.mutate(tinyVm('never'))), 'host_unavailable')
  assert.equal(
    await codeFrom(ada.trpc.vm.power.mutate({ id: vm.id, op: 'shutdown', idempotencyKey: newKey() })),
    'host_unavailable',
  )
  // Nothing is left of what was refused.
  assert.equal(await portal.db.action.count(), before)
  assert.equal((await ada.trpc.vm.list.query()).length, 1)

  await portal.agent.start()
  await portal.untilOnline()
  assert.equal((await ada.trpc.vm.get.query({ id: vm.id })).state, 'running')
})

test('a deletion asked for while the host is away is done when it is back', async (t) => {
  const { portal, ada } = await start(t)
  const vm = await createRunning(portal, ada, 'goner')
  await portal.agent.stop()
  await portal.untilAway()
  const { action } = await ada.trpc.vm.delete.mutate({
    id: vm.id,
    confirmName: 'goner',
    idempotencyKey: newKey(),
  })
  assert.equal(action.queued, true)
  assert.equal(action.status, 'running')
  // Also when the portal is restarted in between.
  await portal.restartPortal()
  await portal.agent.start()
  await portal.untilOnline()
  await until('the host to be asked', () => portal.agent.asked.at(-1)?.path === 'vm.delete')
  assert.equal(portal.agent.asked.at(-1)?.actionId, action.id)
  portal.agent.vms.delete(vm.vmUid)
  portal.agent.finish(action.id)
  const again = await portal.signIn()
  await until('it to be gone', async () => (await again.trpc.vm.list.query()).length === 0)
})

test('the portal is restarted with an action under way: it goes on', async (t) => {
  const { portal, ada } = await start(t)
  const { vm, action } = await ada.trpc.vm.create.mutate(tinyVm('patient'))
  ada.close()
  await portal.restartPortal()
  const again = await portal.signIn()
  await portal.untilOnline()
  assert.equal((await again.trpc.vm.get.query({ id: vm.id })).action?.status, 'running')
  portal.agent.setVm(vm.vmUid, { state: 'running' })
  portal.agent.finish(action.id)
  await until('the end', async () => (await again.trpc.vm.get.query({ id: vm.id })).action === null)
})

test('an action that ended while nobody listened is found ended', async (t) => {
  const { portal, ada } = await start(t)
  const { vm, action } = await ada.trpc.vm.create.mutate(tinyVm('quiet'))
  await portal.agent.stop()
  await portal.untilAway()
  portal.agent.setVm(vm.vmUid, { state: 'running' })
  portal.agent.finish(action.id)
  await portal.agent.start()
  await until('the end', async () => {
    const now = await ada.trpc.vm.get.query({ id: vm.id })
    return now.state === 'running' && now.action === null
  })
})

test('an action that the host has forgotten ends in an error and frees its VM', async (t) => {
  const { portal, ada } = await start(t)
  const vm = await createRunning(portal, ada, 'forgotten')
  const { action } = await ada.trpc.vm.power.mutate({ id: vm.id, op: 'reset', idempotencyKey: newKey() })
  await portal.agent.stop()
  portal.agent.actions.delete(action.id)
  await portal.agent.start()
  const ended = await until('the end', async () => {
    const [last] = await ada.trpc.action.list.query({ vmId: vm.id, limit: 1 })
    return last?.status === 'error' ? last : null
  })
  assert.equal(ended.id, action.id)
  assert.match(ended.error?.message ?? '', /does not know this action/)
  await until('it to be free', async () => (await ada.trpc.vm.get.query({ id: vm.id })).can.shutdown.ok)
})

test('an action whose answer was lost is sent again under the same id and done once', async (t) => {
  const { portal, ada } = await start(t)
  portal.agent.silent = true
  const create = codeFrom(ada.trpc.vm.create.mutate(tinyVm('lost')))
  await until('the host to be asked', () => portal.agent.asked.length === 1)
  await portal.agent.stop()
  portal.agent.silent = false
  assert.equal(await create, 'no error')
  await portal.agent.start()
  await until('the host to be asked again', () => portal.agent.actions.size === 1)
  assert.deepEqual(new Set(portal.agent.asked.map(({ actionId }) => actionId)).size, 1)
  assert.equal(portal.agent.vms.size, 1)
  const [vm] = await ada.trpc.vm.list.query()
  portal.agent.setVm(vm!.vmUid, { state: 'running' })
  portal.agent.finish(portal.agent.asked[0]!.actionId)
  await until('it to run', async () => (await ada.trpc.vm.get.query({ id: vm!.id })).can.shutdown.ok)
})

test('a VM that the portal does not know is left alone and shown', async (t) => {
  const { portal, ada } = await start(t)
  const vm = await createRunning(portal, ada, 'known')
  const report = portal.agent.vms.get(vm.vmUid)!
  const stranger = { ...report, vmUid: crypto.randomUUID(), name: 'stranger' }
  portal.agent.vms.set(stranger.vmUid, stranger)
  portal.agent.emit({ type: 'vm', vm: stranger })
  const [difference] = await until('the difference', async () => {
    const [host] = await ada.trpc.host.list.query()
    return host?.differences.length ? host.differences : null
  })
  assert.match(difference ?? '', /stranger .* left alone/)
  assert.ok(portal.agent.asked.every(({ path }) => path !== 'vm.delete'))
})

test('a VM that its host lost is shown so, and keeps its name until somebody deletes it', async (t) => {
  const { portal, ada } = await start(t)
  const vm = await createRunning(portal, ada, 'vanished')
  await portal.agent.stop()
  portal.agent.vms.clear()
  await portal.agent.start()
  const lost = await until('it to be missed', async () => {
    const now = await ada.trpc.vm.get.query({ id: vm.id })
    return now.host.online && now.state === 'unknown' ? now : null
  })
  assert.equal(lost.stateReason, 'Its host does not have it.')
  assert.equal(await codeFrom(ada.trpc.vm.create.mutate(tinyVm('vanished'))), 'uniqueness_error')
  await ada.trpc.vm.delete.mutate({ id: vm.id, confirmName: 'vanished', idempotencyKey: newKey() })
  await until('it to be gone', async () => (await ada.trpc.vm.list.query()).length === 0)
})
