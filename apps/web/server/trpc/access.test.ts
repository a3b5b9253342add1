/**
 * Walks every procedure and every route as everybody there is and compares with what it declares. A new procedure
 * needs nothing here, unless what it declares leads to a kind of thing this file cannot make yet.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
import { getTransformer } from '@trpc/client/unstable-internals'
import WebSocket from 'ws'
import { z } from 'zod'
import {
  changes,
  includesRole,
  isResourcePrivilege,
  type OwnedType,
  type Privilege,
  type ProjectRole,
} from '../auth/privilege.ts'
import { routes } from '../rest/api.ts'
import { openQuota } from '../services/quota.ts'
import { codeFrom, createRunning, type Person, TestPortal, until } from '../testing/test-portal.ts'
import { appRouter } from './router.ts'

/** What anybody who reaches the portal may call. Whoever adds to this list says so here. */
const publicPaths = [
  'session.get',
  'setup.check',
  'setup.complete',
  'invitation.check',
  'invitation.register',
]

interface Described {
  type: 'query' | 'mutation' | 'subscription'
  meta?: { privilege?: Privilege }
  inputs: unknown[]
}

interface Somebody {
  name: string
  person: Person
  token: string | null
  isAdmin: boolean
  /** In the project the things of this test belong to. */
  role: ProjectRole | null
}

let portal: TestPortal
let admin: Person
let people: Somebody[]
let projectId: number
let vmId: number
let count = 0

before(async () => {
  portal = await TestPortal.start()
  admin = await portal.setUp()
  projectId = (await portal.db.project.findFirstOrThrow()).id
  const other = await portal.db.project.create({ data: { name: 'Elsewhere' } })
  vmId = (await createRunning(portal, admin, 'guarded')).id
  const roles: [string, Record<number, ProjectRole>][] = [
    ['Vera', { [projectId]: 'viewer' }],
    ['Otto', { [other.id]: 'owner' }],
    ['Mia', { [projectId]: 'member' }],
    ['Olga', { [projectId]: 'owner' }],
  ]
  people = [{ name: 'nobody', person: portal.connect(), token: null, isAdmin: false, role: null }]
  const add = async (name: string, person: Person, isAdmin: boolean, role: ProjectRole | null) => {
    const { secret } = await person.trpc.token.create.mutate({ name, scope: 'write', expiresInDays: 1 })
    people.push({ name, person, token: secret, isAdmin, role })
  }
  for (const [name, own] of roles)
    await add(name, await portal.addPerson(name, own), false, own[projectId] ?? null)
  await add('Ada', admin, true, 'owner')
})
after(() => portal.stop())

function procedures(): [string, Described][] {
  const all = appRouter._def.procedures as unknown as Record<string, { _def: Described }>
  return Object.entries(all).map(([path, { _def }]) => [path, _def])
}

test('every procedure and every route says who may call it', () => {
  const found = procedures()
  assert.ok(found.length > 20)
  for (const [path, { meta }] of found) assert.ok(meta?.privilege, `${path} says nothing`)
  assert.deepEqual(
    found.filter(([, { meta }]) => meta?.privilege?.of === 'anyone').map(([path]) => path),
    publicPaths,
  )
  for (const { method, pattern, privilege } of routes) {
    assert.notEqual(privilege.of, 'anyone', `${method} ${pattern}`)
    if (method !== 'GET') assert.ok(changes(privilege), `${method} ${pattern} changes something`)
  }
})

test('what a procedure declares to look at is in its input, and nothing else that names a thing', () => {
  const ids = ['id', 'projectId', 'vmId', 'imageId', 'imageUid', 'actionId']
  // Lists that show what the viewer may see take these to narrow it down.
  const narrowing = ['action.list', 'action.watch', 'activity.list']
  for (const [path, { meta, inputs }] of procedures()) {
    const keys = new Set(
      inputs.flatMap((schema) => {
        const inner = schema instanceof z.ZodDefault ? schema.def.innerType : schema
        return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
      }),
    )
    const privilege = meta?.privilege
    if (!privilege || !isResourcePrivilege(privilege)) {
      if (privilege?.of === 'person' && !narrowing.includes(path))
        assert.ok(
          ![...keys].some((key) => ids.includes(key) && key !== 'id'),
          `${path} names a thing, but anybody signed in may call it`,
        )
      continue
    }
    if (privilege.of !== 'project') assert.ok(keys.has(privilege.key), `${path} lacks ${privilege.key}`)
    const others = [...keys].filter((key) => ids.includes(key) && key !== privilege.key && key !== 'imageUid')
    assert.deepEqual(others, [], `${path} looks at ${privilege.key} only`)
  }
})

/** Calls by name, past the types: as whoever means harm would. */
function call(socket: Person['socket'], path: string, type: Described['type'], input: unknown) {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const stop = socket
    .request({ op: { id: 1, path, type, input, signal: null }, transformer: getTransformer(undefined) })
    .subscribe({ next: resolve, error: resolve })
  return promise.finally(() => stop.unsubscribe())
}

async function refusalOf(answer: Promise<unknown>): Promise<string | null> {
  const text = JSON.stringify(await answer)
  return /"code":"(unauthorized|forbidden|not_found)"/.exec(text)?.[1] ?? null
}

/** A thing of the project that this call may destroy. */
async function thing(of: OwnedType): Promise<number> {
  switch (of) {
    case 'project': {
      const members = await portal.db.membership.findMany({ where: { projectId } })
      const project = await portal.db.project.create({
        data: {
          name: `fresh-${++count}`,
          members: { create: members.map(({ userId, role }) => ({ userId, role })) },
        },
      })
      await openQuota(portal.db, project.id)
      return project.id
    }
    case 'vm':
      return vmId
    case 'snapshot': {
      const { hostId, spec } = await portal.db.vm.findUniqueOrThrow({ where: { id: vmId } })
      const bytes = { diskBytes: 0n, storedBytes: 0n }
      const data = { projectId, hostId, vmId, spec, ...bytes, snapshotUid: randomUUID(), status: 'ready' }
      return (await portal.db.snapshot.create({ data: { name: 'kept', ...data } })).id
    }
    case 'volume': {
      const { hostId } = await portal.db.vm.findUniqueOrThrow({ where: { id: vmId } })
      const name = `volume-${++count}`
      const data = { projectId, hostId, name, bytes: 0n, volumeUid: randomUUID(), status: 'ready' }
      return (await portal.db.volume.create({ data })).id
    }
    case 'backup': {
      const { hostId, spec } = await portal.db.vm.findUniqueOrThrow({ where: { id: vmId } })
      const facts = { vmName: 'guarded', spec, bytes: 0n, takenAt: new Date(), status: 'ready' }
      const data = { projectId, hostId, vmId, ...facts, backupUid: randomUUID() }
      return (await portal.db.backup.create({ data })).id
    }
    case 'image': {
      const uid = `image-${++count}`
      const facts = { name: uid, description: '', cloudInit: false, minMemoryBytes: 0, minDiskBytes: 0 }
      return (await portal.db.image.create({ data: { uid, projectId, ...facts } })).id
    }
    case 'ssh_key': {
      const name = `key-${++count}`
      const key = { name, type: 'ssh-ed25519', publicKey: name, fingerprint: name }
      return (await portal.db.sshKey.create({ data: { projectId, ...key } })).id
    }
    case 'quota_request': {
      const userId = (await portal.db.user.findFirstOrThrow()).id
      const request = { projectId, userId, key: 'vcpus', wanted: 9n, limitThen: 8n }
      return (await portal.db.quotaRequest.create({ data: request })).id
    }
    case 'action':
      return (await portal.db.action.findFirstOrThrow({ where: { projectId } })).id
  }
}

function expected(privilege: Privilege, { person, isAdmin, role }: Omit<Somebody, 'token'>): string | null {
  if (privilege.of === 'anyone') return null
  if (person.cookie === '') return 'unauthorized'
  if (privilege.of === 'person') return null
  if (!isResourcePrivilege(privilege)) return isAdmin ? null : 'forbidden'
  if (role === null) return 'not_found'
  return includesRole(role, privilege.role) ? null : 'forbidden'
}

test('each procedure lets in whom it declares, and nobody else, over a real socket', async () => {
  for (const [path, { type, meta }] of procedures()) {
    const privilege = meta!.privilege!
    for (const somebody of people) {
      const input = isResourcePrivilege(privilege) ? { [privilege.key]: await thing(privilege.of) } : {}
      const refusal = await refusalOf(call(somebody.person.socket, path, type, input))
      const wanted = expected(privilege, somebody)
      // The administrator of this home may go on; `not_found` then is about something else that is missing.
      if (wanted === null) assert.ok(refusal !== 'unauthorized' && refusal !== 'forbidden', path)
      else assert.equal(refusal, wanted, `${path} as ${somebody.name}`)
    }
  }
  await portal.db.project.deleteMany({ where: { name: { startsWith: 'fresh-' } } })
})

async function statusOf(token: string, method: string, where: string): Promise<number> {
  const response = await portal.api(token, method, where, method === 'GET' ? undefined : {})
  await response.body?.cancel()
  return response.status
}

let knocks = 0
/** Without a token; from another address each time, because one that fails too often is not heard any more. */
async function knock(method: string, where: string): Promise<number> {
  const localAddress = `127.0.0.${2 + (knocks++ % 200)}`
  const request = httpRequest(`${portal.url}/api/v1${where}`, { method, localAddress, agent: false }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode ?? 0
}

test('each route lets in whom it declares, and nobody else', async () => {
  for (const { method, pattern, privilege } of routes) {
    for (const { token, ...somebody } of people) {
      if (!isResourcePrivilege(privilege)) continue
      const id = privilege.of === 'project' ? projectId : await thing(privilege.of)
      const where = pattern.replace(`{${privilege.key}}`, String(id)).replace(/\{\w+\}/g, '999999')
      const status = await (token === null ? knock(method, where) : statusOf(token, method, where))
      const label = `${method} ${where} as ${somebody.name}: ${status}`
      const wanted = expected(privilege, somebody)
      // In a project of one's own, nothing is refused: that is where the token acts.
      const own = privilege.of === 'project' && token !== null && somebody.role === null
      if (wanted === null || own) assert.ok(![401, 403].includes(status), label)
      else assert.equal(status, { unauthorized: 401, forbidden: 403, not_found: 404 }[wanted], label)
    }
  }
})

test('lists and streams show a project to its people and the administrator only, from the moment that changes', async () => {
  const otto = people.find(({ name }) => name === 'Otto')!
  const vera = people.find(({ name }) => name === 'Vera')!
  const seen: number[] = []
  const watch = otto.person.trpc.vm.watch.subscribe(undefined, { onData: (vms) => seen.push(vms.length) })
  await until('the first list', () => seen.length > 0)
  assert.deepEqual(seen, [0])
  assert.deepEqual(await otto.person.trpc.vm.list.query(), [])
  assert.deepEqual(await otto.person.trpc.action.list.query({}), [])
  const { items } = await otto.person.trpc.activity.list.query({})
  assert.ok(items.every(({ actor }) => actor.name === 'Otto'))
  const [guarded] = await vera.person.trpc.vm.list.query()
  assert.equal(guarded?.name, 'guarded')
  assert.match(guarded?.can.poweroff.why ?? '', /look at this project/)
  assert.deepEqual((await vera.person.trpc.session.get.query()).projects, [
    { id: projectId, name: 'Home', role: 'viewer' },
  ])

  const user = await portal.db.user.findUniqueOrThrow({ where: { email: 'otto@example.org' } })
  const membership = await portal.db.membership.create({
    data: { projectId, userId: user.id, role: 'member' },
  })
  portal.started.portal.changes.publish('people')
  await until('the VM to come into the stream', () => seen.at(-1) === 1)
  const [joined] = await otto.person.trpc.vm.list.query()
  assert.doesNotMatch(joined?.can.poweroff.why ?? '', /look at this project/)
  await portal.db.membership.delete({ where: { id: membership.id } })
  portal.started.portal.changes.publish('people')
  await until('the VM to leave the stream', () => seen.at(-1) === 0)
  watch.unsubscribe()
})

test('a token acts in its own project only, also an administrator’s', async () => {
  const ada = people.find(({ name }) => name === 'Ada')!
  const elsewhere = await portal.db.project.findUniqueOrThrow({ where: { name: 'Elsewhere' } })
  const { secret } = await ada.person.trpc.token.create.mutate({
    projectId: elsewhere.id,
    name: 'elsewhere',
    scope: 'write',
    expiresInDays: 1,
  })
  assert.equal((await portal.api(secret, 'GET', `/servers/${vmId}`)).status, 404)
  assert.equal((await portal.api(ada.token, 'GET', `/servers/${vmId}`)).status, 200)
  const list = (await (await portal.api(secret, 'GET', '/servers')).json()) as { servers: unknown[] }
  assert.deepEqual(list.servers, [])
})

test('who may only look opens no console, and who leaves a project loses those they have open', async () => {
  const vera = people.find(({ name }) => name === 'Vera')!
  assert.equal(await codeFrom(vera.person.trpc.console.open.mutate({ vmId })), 'forbidden')
  const mia = people.find(({ name }) => name === 'Mia')!
  portal.agent.onSerial = (socket) => socket.send(Buffer.from('login: '))
  const { url } = await mia.person.trpc.console.open.mutate({ vmId })
  const viewer = new WebSocket(`${portal.url.replace('http', 'ws')}${url}`, {
    headers: { origin: portal.url },
  })
  const closed = once(viewer, 'close')
  await once(viewer, 'message')
  await portal.db.membership.deleteMany({ where: { user: { name: 'Mia' } } })
  portal.started.portal.changes.publish('people')
  assert.equal((await closed)[0], 4401)
})
