import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HearthError } from '@hearth/shared/errors'
import type { PortForward } from '@hearth/shared/network'
import { MIB } from '@hearth/shared/units'
import { vmSpecSchema } from '@hearth/shared/vm-spec'
import { codeFrom, createRunning, newKey, type Person, TestPortal, until } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person
let projectId: number

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  projectId = (await portal.db.project.findFirstOrThrow()).id
})
after(() => portal.stop())

const web = (hostPort: number, guestPort = 80): PortForward => ({ protocol: 'tcp', hostPort, guestPort })
const get = (id: number) => ada.trpc.vm.get.query({ id })
const lastAsked = () => portal.agent.asked.at(-1)!
const lastSpec = () => vmSpecSchema.parse((lastAsked().input as { spec: unknown }).spec)
const used = async () =>
  Number((await portal.db.quota.findFirstOrThrow({ where: { projectId, key: 'ports' } })).used)
const limit = (max: number) =>
  portal.db.quota.updateMany({ where: { projectId, key: 'ports' }, data: { max: BigInt(max) } })
const ports = async (vmId: number) =>
  (await portal.db.publicPort.findMany({ where: { vmId }, orderBy: { hostPort: 'asc' } })).map(
    ({ hostPort }) => hostPort,
  )

async function set(id: number, change: object): Promise<void> {
  await ada.trpc.vm.update.mutate({ id, ...change })
  portal.agent.finish(lastAsked().actionId)
  await until('the change to end', async () => (await get(id)).action === null)
}

test('forwarded ports reach the host, count for the quota, and are told in the activity', async () => {
  const vm = await createRunning(portal, ada, 'ported')
  await set(vm.id, { forwards: [web(8080), { protocol: 'udp', hostPort: 8080, guestPort: 53 }] })
  assert.deepEqual(lastSpec().forwards, [web(8080), { protocol: 'udp', hostPort: 8080, guestPort: 53 }])
  assert.deepEqual((await get(vm.id)).forwards, lastSpec().forwards)
  assert.equal(await used(), 2)
  await set(vm.id, { forwards: [web(8080, 81)] })
  assert.equal(await used(), 1)
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id, limit: 1 })
  assert.equal(
    items[0]?.summary,
    'ported: port 8080 (TCP) of the host leads to its port 81, port 8080 (UDP) of the host no longer leads to it',
  )
  const asked = portal.agent.asked.length
  await ada.trpc.vm.update.mutate({ id: vm.id, forwards: [web(8080, 81)] })
  assert.equal(portal.agent.asked.length, asked, 'what it has already is not asked for again')
  await set(vm.id, { forwards: [] })
  assert.equal(await used(), 0)
})

test('a port that is kept, taken, or beyond the quota is refused, and nothing changes', async () => {
  const first = await createRunning(portal, ada, 'first')
  const second = await createRunning(portal, ada, 'second')
  await set(first.id, { forwards: [web(9001)] })
  const asks = (forwards: PortForward[]) => ada.trpc.vm.update.mutate({ id: second.id, forwards })
  await assert.rejects(asks([web(9001)]), /Port 9001 \(TCP\) of the host leads to another VM already/)
  await assert.rejects(asks([web(22)]), /kept for SSH of the host/)
  await limit(2)
  const call = asks([web(9002), web(9003)])
  await assert.rejects(call, /1 public port left \(the quota is 2\), and this needs 2/)
  assert.equal(await codeFrom(call), 'resource_limit_exceeded')
  assert.deepEqual([await used(), (await get(second.id)).forwards], [1, []])
  await limit(10)
  // Refused by the host, at once or later: the port is free again, and so is its place in the quota.
  portal.agent.refusal = new HearthError('conflict', 'Port 9002 is in use by a program of the host itself.')
  await assert.rejects(asks([web(9002)]), /in use by a program/)
  assert.deepEqual([await used(), await ports(second.id)], [1, []])
  await asks([web(9002)])
  portal.agent.finish(lastAsked().actionId, {
    code: 'host_refused',
    message: 'The network would not have it.',
  })
  await until('the port to be free', async () => (await ports(second.id)).length === 0)
  assert.deepEqual([await used(), (await get(second.id)).forwards], [1, []])
})

test('a port is free when its host has let go of it, and with its VM', async () => {
  const giver = await createRunning(portal, ada, 'giver')
  const taker = await createRunning(portal, ada, 'taker')
  const before = await used()
  await set(giver.id, { forwards: [web(9100)] })
  await ada.trpc.vm.update.mutate({ id: giver.id, forwards: [] })
  await assert.rejects(ada.trpc.vm.update.mutate({ id: taker.id, forwards: [web(9100)] }), /another VM/)
  portal.agent.finish(lastAsked().actionId)
  await until('the port to be free', async () => (await ports(giver.id)).length === 0)
  await set(taker.id, { forwards: [web(9100)] })
  assert.equal(await used(), before + 1)
  const { action } = await ada.trpc.vm.delete.mutate({
    id: taker.id,
    confirmName: 'taker',
    idempotencyKey: newKey(),
  })
  portal.agent.vms.delete(taker.vmUid)
  portal.agent.emit({ type: 'vm_removed', vmUid: taker.vmUid })
  portal.agent.finish(action.id)
  await until('its port to be free', async () => (await used()) === before)
})

test('two who ask for one port at once: one gets it', async () => {
  const one = await createRunning(portal, ada, 'one')
  const two = await createRunning(portal, ada, 'two')
  const codes = await Promise.all(
    [one, two].map(({ id }) => codeFrom(ada.trpc.vm.update.mutate({ id, forwards: [web(9200)] }))),
  )
  assert.deepEqual(codes.sort(), ['no error', 'uniqueness_error'])
})

test('the firewall reaches the host, and by the API as ports do', async () => {
  const vm = await createRunning(portal, ada, 'walled')
  const firewall = { from: 'home', ports: [{ protocol: 'tcp', first: 80, last: 81 }] } as const
  await set(vm.id, { firewall })
  assert.deepEqual(lastSpec().firewall, firewall)
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id, limit: 1 })
  assert.equal(items[0]?.summary, 'walled: lets in connections from the home network to the ports 80-81/tcp')
  const { secret } = await ada.trpc.token.create.mutate({ name: 'net', scope: 'write', expiresInDays: 1 })
  const put = await portal.api(secret, 'PUT', `/servers/${vm.id}/network`, {
    port_forwards: [{ protocol: 'tcp', host_port: 9300, guest_port: 80 }],
  })
  assert.equal(put.status, 200)
  portal.agent.finish(lastAsked().actionId)
  const answer = await (await portal.api(secret, 'GET', `/servers/${vm.id}/network`)).json()
  assert.deepEqual(answer, {
    network: {
      bridge: null,
      port_forwards: [{ protocol: 'tcp', host_port: 9300, guest_port: 80 }],
      firewall,
      host_addresses: ['192.168.1.20'],
    },
  })
})

test('limits are an owner’s: they reach the host, are told, and go again; a member sees why not', async () => {
  const vm = await createRunning(portal, ada, 'limited')
  const diskLimit = { bytesPerSecond: 50 * MIB, operationsPerSecond: 400, burstSeconds: 10 }
  const limit = async (change: object) => {
    await ada.trpc.vm.limit.mutate({ id: vm.id, ...change })
    portal.agent.finish(lastAsked().actionId)
    await until('the change to end', async () => (await get(vm.id)).action === null)
  }
  await limit({ diskLimit, keepMemory: true })
  assert.deepEqual(
    [lastSpec().diskLimit, lastSpec().netLimit, lastSpec().keepMemory],
    [diskLimit, undefined, true],
  )
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id, limit: 1 })
  assert.equal(
    items[0]?.summary,
    'limited: its disk is limited to 50 MiB/s and 400 operations/s from its next start on, keeps the memory it frees',
  )
  await assert.rejects(
    ada.trpc.vm.limit.mutate({
      id: vm.id,
      netLimit: { bytesPerSecond: null, operationsPerSecond: null, burstSeconds: 1 },
    }),
    /of bytes, of operations, or of both/,
  )
  const { secret } = await ada.trpc.token.create.mutate({ name: 'limits', scope: 'write', expiresInDays: 1 })
  const put = (body: object) => portal.api(secret, 'PUT', `/servers/${vm.id}/limits`, body)
  assert.equal((await put({ network: {} })).status, 422)
  assert.equal((await put({ disk: null, network: { bytes_per_second: 12_500_000 } })).status, 200)
  portal.agent.finish(lastAsked().actionId)
  assert.deepEqual(await (await portal.api(secret, 'GET', `/servers/${vm.id}/limits`)).json(), {
    limits: {
      disk: null,
      network: { bytes_per_second: 12_500_000, operations_per_second: null, burst_seconds: 1 },
      keep_memory: true,
    },
  })
  assert.equal(lastSpec().diskLimit, undefined)
  const mia = await portal.addPerson('Mia', { [projectId]: 'member' })
  await until('it to be free', async () => (await get(vm.id)).action === null)
  assert.deepEqual((await mia.trpc.vm.get.query({ id: vm.id })).can.limit, {
    ok: false,
    why: 'Only an owner of the project can do that.',
  })
})

test('a bridge is opened by an administrator; a VM moves to it while it is off, and leaves its ports behind', async () => {
  const vm = await createRunning(portal, ada, 'moving')
  await set(vm.id, { forwards: [web(9400)] })
  const before = await used()
  const bridge = (name: string | null) => ada.trpc.vm.update.mutate({ id: vm.id, bridge: name })
  await assert.rejects(bridge('br0'), /It is running|moving is running/)
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  await until('it to be off', async () => (await get(vm.id)).can.resize.ok)
  await assert.rejects(bridge('br0'), /The network br0 is not open to VMs/)
  const mia = await portal.signIn({ email: 'mia@example.org', password: 'correct horse battery' })
  const open = (person: Person, bridges: string[]) =>
    person.trpc.host.setBridges.mutate({ id: vm.host.id, bridges })
  assert.equal(await codeFrom(open(mia, ['br0'])), 'forbidden')
  await assert.rejects(open(ada, ['br9']), /has no bridge br9/)
  await open(ada, ['br0'])
  assert.deepEqual((await mia.trpc.host.list.query())[0]?.bridges, ['br0'])
  await bridge('br0')
  assert.deepEqual([lastSpec().bridge, lastSpec().forwards], ['br0', undefined])
  portal.agent.finish(lastAsked().actionId)
  await until('the port to be free', async () => (await used()) === before - 1)
  // Closed to others, it stays where it is, and may go back.
  await open(ada, [])
  assert.equal((await get(vm.id)).bridge, 'br0')
  await bridge(null)
  assert.equal(lastSpec().bridge, undefined)
})

test('folders of the host are given by an administrator, out of those that the host offers', async () => {
  const vm = await createRunning(portal, ada, 'sharing')
  const share = (person: Person, folders: { name: string; writable: boolean }[]) =>
    person.trpc.vm.share.mutate({ id: vm.id, folders })
  const music = { name: 'music', writable: false }
  const work = { name: 'work', writable: true }
  const mia = await portal.signIn({ email: 'mia@example.org', password: 'correct horse battery' })
  assert.equal(await codeFrom(share(mia, [music])), 'forbidden')
  await assert.rejects(share(ada, [{ name: 'secret', writable: false }]), /Its host shares no folder secret/)
  await assert.rejects(share(ada, [{ ...music, writable: true }]), /shares the folder music for reading only/)
  await assert.rejects(share(ada, [work, work]), /named twice/)
  assert.deepEqual((await share(ada, [music, work])).folders, [music, work])
  assert.deepEqual(lastSpec().folders, [music, work])
  portal.agent.finish(lastAsked().actionId)
  await until('it to be free', async () => (await get(vm.id)).action === null || null)
  // Nobody changes them by another door.
  await mia.trpc.vm.update
    .mutate({ id: vm.id, startAtBoot: true, folders: [] } as never)
    .catch(() => undefined)
  assert.deepEqual((await get(vm.id)).folders, [music, work])
  await until('it to be free', async () => (await get(vm.id)).action === null || null).catch(() => undefined)
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id })
  const told =
    'sharing: may read the folder music from its next start on, may write the folder work from its next start on'
  assert.ok(items.some(({ summary }) => summary === told))
})
