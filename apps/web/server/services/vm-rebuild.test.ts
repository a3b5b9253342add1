import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { vmSpecSchema } from '@hearth/shared/vm-spec'
import { createRunning, newKey, type Person, TestPortal, until } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person

before(async () => {
  portal = await TestPortal.start({
    prepare: (agent) => {
      const [model] = agent.images
      agent.images.push({
        ...model!,
        ...{ imageUid: 'signs-in', name: 'Signs in', cloudInit: true, loginUser: 'debian', minDiskBytes: 0 },
      })
    },
  })
  ada = await portal.setUp()
})
after(() => portal.stop())

const get = (id: number) => ada.trpc.vm.get.query({ id })
const last = () => portal.agent.asked.at(-1)!
const free = (id: number) =>
  until('it to be free', async () => {
    const vm = await get(id)
    return vm.action?.status === 'running' ? null : vm
  })
const rebuild = (id: number, confirmName: string, change: object = {}) =>
  ada.trpc.vm.rebuild.mutate({ id, imageUid: 'signs-in', confirmName, idempotencyKey: newKey(), ...change })

test('the name is typed, a login is given where there was none, and the image is the host’s to say', async () => {
  const vm = await createRunning(portal, ada, 'renewed')
  await assert.rejects(rebuild(vm.id, 'other'), /Type the VM's name, renewed/)
  await assert.rejects(rebuild(vm.id, 'renewed'), /Give a password or an SSH key/)
  const { action } = await rebuild(vm.id, 'renewed', { password: 'teapot' })
  const { spec, start } = last().input as { spec: unknown; start: boolean }
  const asked = vmSpecSchema.parse(spec)
  assert.deepEqual(
    [asked.image, asked.generation, asked.cloudInit?.user, start],
    ['signs-in', 2, 'debian', true],
  )
  assert.match(asked.cloudInit?.passwordHash ?? '', /^\$6\$/)
  const meanwhile = await get(vm.id)
  assert.equal(meanwhile.image.uid, vm.image.uid, 'until the host has done it')
  assert.equal(meanwhile.can.start.why, 'It is being rebuilt.')
  portal.agent.finish(action.id)
  const rebuilt = await free(vm.id)
  assert.deepEqual([rebuilt.image.uid, rebuilt.loginUser], ['signs-in', 'debian'])
  // The second time the login it has is kept.
  await rebuild(vm.id, 'renewed')
  assert.equal(
    vmSpecSchema.parse((last().input as { spec: unknown }).spec).cloudInit?.passwordHash,
    asked.cloudInit?.passwordHash,
  )
  portal.agent.finish(last().actionId)
})

test('one that fails is what it was; one that only does not start is rebuilt', async () => {
  const vm = await createRunning(portal, ada, 'unlucky')
  await rebuild(vm.id, 'unlucky', { password: 'teapot' })
  portal.agent.finish(last().actionId, { code: 'no_space', message: 'The disk is full.' })
  assert.deepEqual([(await free(vm.id)).image.uid, (await get(vm.id)).loginUser], [vm.image.uid, null])
  await rebuild(vm.id, 'unlucky', { password: 'teapot' })
  const { generation } = vmSpecSchema.parse((last().input as { spec: unknown }).spec)
  portal.agent.setVm(vm.vmUid, { generation, state: 'stopped' })
  await until('it to be off', async () => (await get(vm.id)).state === 'stopped')
  portal.agent.finish(last().actionId, { code: 'vmm_failed', message: 'It does not start.' })
  const now = await free(vm.id)
  assert.deepEqual([now.image.uid, now.desiredState], ['signs-in', 'stopped'])
})

test('protected it is not rebuilt', async () => {
  const vm = await createRunning(portal, ada, 'guarded')
  await ada.trpc.vm.protect.mutate({ id: vm.id, deleteProtected: true })
  await assert.rejects(
    rebuild(vm.id, 'guarded', { password: 'teapot' }),
    /guarded is protected|protected from deletion/,
  )
})
