import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { changes } from '../auth/privilege.ts'
import { createRunning, newKey, type Person, TestPortal, until } from '../testing/test-portal.ts'
import { routes } from './api.ts'
import { errorBodySchema } from './errors.ts'
import { actionSchema, serverSchema } from './schemas.ts'

let portal: TestPortal
let ada: Person
let write: string
let read: string

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  write = (await ada.trpc.token.create.mutate({ name: 'writer', scope: 'write', expiresInDays: null })).secret
  read = (await ada.trpc.token.create.mutate({ name: 'reader', scope: 'read', expiresInDays: 30 })).secret
})
after(() => portal.stop())

async function ask(method: string, where: string, body?: unknown, token: string | null = write) {
  const response = await portal.api(token, method, where, body)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
}

async function refused(answer: Promise<{ status: number; body: unknown }>) {
  const { status, body } = await answer
  return { status, ...errorBodySchema.parse(body).error }
}

test('without a token, with a wrong, expired or revoked one: 401', async () => {
  assert.equal((await refused(ask('GET', '/servers', undefined, null))).code, 'unauthorized')
  assert.equal((await refused(ask('GET', '/servers', undefined, 'hearth_guess'))).status, 401)
  // The session cookie of the portal is no way in.
  const response = await portal.api(null, 'GET', '/servers', undefined, { cookie: ada.cookie })
  assert.equal(response.status, 401)

  const { token, secret } = await ada.trpc.token.create.mutate({
    name: 'short',
    scope: 'read',
    expiresInDays: 1,
  })
  assert.equal((await ask('GET', '/servers', undefined, secret)).status, 200)
  assert.ok((await ada.trpc.token.list.query()).find(({ id }) => id === token.id)?.lastUsedAt)
  await portal.db.apiToken.update({ where: { id: token.id }, data: { expiresAt: new Date(Date.now() - 1) } })
  assert.equal((await ask('GET', '/servers', undefined, secret)).status, 401)
  assert.equal((await ada.trpc.token.list.query()).find(({ id }) => id === token.id)?.expired, true)
  await portal.db.apiToken.update({ where: { id: token.id }, data: { expiresAt: null } })
  assert.equal((await ask('GET', '/servers', undefined, secret)).status, 200)
  await ada.trpc.token.revoke.mutate({ id: token.id })
  assert.equal((await ask('GET', '/servers', undefined, secret)).status, 401)
  // Only hashes are kept.
  assert.ok(!JSON.stringify(await portal.db.apiToken.findMany()).includes(write))
})

test('a token that may only read changes nothing', async () => {
  for (const route of routes) {
    if (!changes(route.privilege)) continue
    const where = route.pattern.replace(/\{\w+\}/g, '1')
    const { status, code } = await refused(ask(route.method, where, {}, read))
    assert.deepEqual([status, code], [403, 'token_readonly'], where)
  }
  assert.equal((await ask('GET', '/servers', undefined, read)).status, 200)
})

test('a server from creation to deletion, as a script does it', async () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8XRiSbcDmiiRrUVm2RLhvqCe3Owe6HVjSXQYEcfmOO ada@laptop'
  const saved = await ask('POST', '/ssh_keys', { name: 'laptop', public_key: key })
  assert.equal(saved.status, 201)
  assert.match(saved.body.ssh_key.fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
  assert.equal((await refused(ask('POST', '/ssh_keys', { name: 'again', public_key: key }))).status, 409)

  const made = await ask('POST', '/servers', {
    name: 'api-1',
    server_type: 'small',
    image: 'debian-12',
    location: 'home',
    ssh_keys: ['laptop'],
    labels: { env: 'test' },
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { server, action, next_actions, root_password } = z
    .object({
      server: serverSchema,
      action: actionSchema,
      next_actions: z.array(actionSchema),
      root_password: z.null(),
    })
    .parse(made.body)
  assert.deepEqual([next_actions, root_password], [[], null])
  assert.equal(server.status, 'initializing')
  assert.equal(server.server_type.name, 'small')
  assert.equal(server.image?.name, 'debian-12')
  assert.equal(server.locked, true)
  assert.deepEqual(action.resources[0], { id: server.id, type: 'server' })
  assert.equal(action.command, 'create_server')

  const { vmUid } = await portal.db.vm.findUniqueOrThrow({ where: { id: server.id } })
  portal.agent.setVm(vmUid, { state: 'running', addresses: ['10.87.0.3'] })
  portal.agent.finish(action.id)
  await until(
    'the action',
    async () => (await ask('GET', `/actions/${action.id}`)).body.action.status === 'success',
  )
  const running = (await ask('GET', `/servers/${server.id}`)).body.server
  assert.equal(running.status, 'running')
  assert.equal(running.public_net.ipv4.ip, '10.87.0.3')

  const byLabel = async (selector: string) =>
    (await ask('GET', `/servers?label_selector=${encodeURIComponent(selector)}`)).body.servers.length
  assert.equal(await byLabel('env=test'), 1)
  assert.equal(await byLabel('env!=test'), 0)
  assert.equal(await byLabel('env in (test, prod),!other'), 1)
  await ask('PUT', `/servers/${server.id}`, { labels: { env: 'prod' } })
  assert.equal(await byLabel('env=test'), 0)

  const off = await ask('POST', `/servers/${server.id}/actions/poweroff`)
  assert.equal(off.status, 201)
  assert.equal(off.body.action.command, 'stop_server')
  portal.agent.setVm(vmUid, { state: 'stopped' })
  portal.agent.finish(off.body.action.id)
  await until('it to be off', async () => {
    const { body } = await ask('GET', `/servers/${server.id}`)
    return body.server.status === 'off' && !body.server.locked
  })
  assert.equal((await refused(ask('POST', `/servers/${server.id}/actions/reset`))).code, 'invalid_state')

  const resized = await ask('POST', `/servers/${server.id}/actions/change_type`, {
    server_type: 'custom-3c-1536m-15g',
    upgrade_disk: true,
  })
  assert.equal(resized.status, 201, JSON.stringify(resized.body))
  portal.agent.finish(resized.body.action.id)
  await until('the resize', async () => {
    const { body } = await ask('GET', `/servers/${server.id}`)
    return !body.server.locked && body.server.server_type.name === 'custom-3c-1536m-15g'
  })
  const renamed = await ask('PUT', `/servers/${server.id}`, { name: 'api-2' })
  assert.equal(renamed.body.server.name, 'api-2')
  await until('the new name', async () => {
    for (const one of portal.agent.actions.values())
      if (one.status === 'running') portal.agent.finish(one.actionId)
    return !(await ask('GET', `/servers/${server.id}`)).body.server.locked
  })
  const protect = (on: boolean) =>
    ask('POST', `/servers/${server.id}/actions/change_protection`, { delete: on, rebuild: on })
  assert.equal((await protect(true)).body.action.status, 'success')
  assert.deepEqual((await ask('GET', `/servers/${server.id}`)).body.server.protection, {
    delete: true,
    rebuild: true,
  })
  assert.deepEqual((await refused(ask('DELETE', `/servers/${server.id}`))).code, 'protected')
  await protect(false)
  const history = (await ask('GET', `/servers/${server.id}/actions?sort=id:desc`)).body
  assert.deepEqual(
    history.actions.map((one: { command: string }) => one.command),
    [
      'change_protection',
      'change_protection',
      'update_server',
      'update_server',
      'stop_server',
      'create_server',
    ],
  )
  assert.equal((await ask('GET', `/servers/${server.id}/actions/${off.body.action.id}`)).status, 200)

  const deleted = await ask('DELETE', `/servers/${server.id}`)
  assert.equal(deleted.status, 200)
  portal.agent.finish(deleted.body.action.id)
  await until('it to be gone', async () => (await ask('GET', `/servers/${server.id}`)).status === 404)
  assert.equal((await ask('DELETE', `/ssh_keys/${saved.body.ssh_key.id}`)).status, 204)
})

test('without an SSH key the answer carries a password for the login user, once', async () => {
  const made = await ask('POST', '/servers', {
    name: 'with-password',
    server_type: 'small',
    image: 'debian-12',
  })
  assert.match(made.body.root_password, /^\S{16,}$/)
  assert.ok(
    !JSON.stringify((await ask('GET', `/servers/${made.body.server.id}`)).body).includes('root_password'),
  )
})

test('an Idempotency-Key returns the first server again', async () => {
  const headers = { 'idempotency-key': newKey() }
  const body = { name: 'same', server_type: 'small', image: 'tiny-linux' }
  const answers = await Promise.all([1, 2].map(() => portal.api(write, 'POST', '/servers', body, headers)))
  const servers = await Promise.all(answers.map(async (answer) => (await answer.json()).server.id))
  assert.equal(servers[0], servers[1])
  const other = await portal.api(write, 'POST', '/servers', { ...body, name: 'other' }, headers)
  assert.equal(other.status, 409)
})

test('sizes that have no name come as server types that can be asked for again', async () => {
  const vm = await createRunning(portal, ada, 'odd-size')
  const { body } = await ask('GET', `/servers/${vm.id}`)
  assert.equal(body.server.server_type.name, 'custom-1c-128m-0g')
  const type = await ask('GET', `/server_types/${body.server.server_type.id}`)
  assert.equal(type.body.server_type.name, 'custom-1c-128m-0g')
  assert.equal((await ask('GET', '/server_types?name=custom-1c-128m-0g')).body.server_types.length, 1)
  assert.deepEqual(
    (await ask('GET', '/server_types')).body.server_types.map(({ name }: { name: string }) => name),
    ['small', 'medium', 'large'],
  )
})

test('paging: pages of their size, with where the next one is', async () => {
  const first = (await ask('GET', '/actions?per_page=2&sort=id:asc')).body
  assert.equal(first.actions.length, 2)
  const { pagination } = first.meta
  assert.deepEqual([pagination.page, pagination.previous_page, pagination.next_page], [1, null, 2])
  assert.equal(pagination.last_page, Math.ceil(pagination.total_entries / 2))
  const second = (await ask('GET', '/actions?per_page=2&page=2&sort=id:asc')).body
  assert.ok(second.actions[0].id > first.actions[1].id)
  const [one, two] = first.actions
  const some = (await ask('GET', `/actions?id=${one.id}&id=${two.id}`)).body
  assert.equal(some.meta.pagination.total_entries, 2)
  const beyond = (await ask('GET', '/images?page=99')).body
  assert.deepEqual(beyond.images, [])
})

test('bad input gets the right status and says what is wrong', async () => {
  const cases: [string, string, unknown, number, string, RegExp][] = [
    ['POST', '/servers', '{"name": ', 400, 'json_error', /not valid JSON/],
    ['POST', '/servers', {}, 422, 'invalid_input', /^name: This is missing\.$/],
    ['POST', '/servers', { name: 'ok' }, 422, 'invalid_input', /^server_type: This is missing\.$/],
    ['POST', '/servers', '', 422, 'invalid_input', /name/],
    [
      'POST',
      '/servers',
      { name: 'Bad Name', server_type: 'small', image: 'x' },
      422,
      'invalid_input',
      /name/,
    ],
    [
      'POST',
      '/servers',
      { name: 'ok', server_type: 'huge', image: 'debian-12' },
      422,
      'invalid_input',
      /server_type/,
    ],
    ['POST', '/servers', { name: 'ok', server_type: 'small', image: 'none' }, 422, 'invalid_input', /image/],
    [
      'POST',
      '/servers',
      { name: 'ok', server_type: 'small', image: 'debian-12', volumes: [1] },
      422,
      'invalid_input',
      /volumes/,
    ],
    [
      'POST',
      '/servers',
      { name: 'same', server_type: 'small', image: 'tiny-linux' },
      409,
      'uniqueness_error',
      /same/,
    ],
    ['GET', '/servers/999999', undefined, 404, 'not_found', /VM/],
    ['GET', '/servers/abc', undefined, 404, 'not_found', /nothing at/],
    ['GET', '/nothing', undefined, 404, 'not_found', /nothing/],
    ['PUT', '/servers', {}, 405, 'method_not_allowed', /GET, POST/],
    ['GET', '/servers?page=0', undefined, 422, 'invalid_input', /page/],
    ['GET', '/servers?per_page=51', undefined, 422, 'invalid_input', /per_page/],
    ['GET', '/servers?sort=colour', undefined, 422, 'invalid_input', /sort/],
    ['GET', '/servers?label_selector=%3D%3D', undefined, 422, 'invalid_input', /selector/],
    ['POST', '/ssh_keys', { name: 'x', public_key: 'hello' }, 422, 'invalid_input', /public SSH key/],
  ]
  for (const [method, where, body, status, code, message] of cases) {
    const answer = await refused(ask(method, where, body))
    assert.deepEqual([answer.status, answer.code], [status, code], `${method} ${where}: ${answer.message}`)
    assert.match(answer.message, message)
  }
  const fields = (await refused(ask('POST', '/servers', { name: '' }))).details?.fields.map(
    ({ name }) => name,
  )
  assert.deepEqual(fields?.sort(), ['image', 'name', 'server_type'])
})

test('a body of more than 1 MiB is refused, announced or not', async () => {
  const big = JSON.stringify({ name: 'x'.repeat(1024 * 1024 + 10) })
  assert.equal((await refused(ask('POST', '/servers', big))).status, 413)
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(64 * 1024))
    },
  })
  const sending = fetch(`${portal.url}/api/v1/servers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${write}`, 'content-type': 'application/json' },
    body: stream,
    duplex: 'half',
  } as RequestInit)
  // Either the answer arrives or the connection is cut while we still send: never is the stream taken in full.
  const status = await sending.then(
    (response) => response.status,
    () => 413,
  )
  assert.equal(status, 413)
})

test('answers carry the rate limit', async () => {
  const { secret } = await ada.trpc.token.create.mutate({ name: 'eager', scope: 'read', expiresInDays: null })
  const first = await ask('GET', '/locations', undefined, secret)
  assert.equal(first.headers.get('ratelimit-limit'), '3600')
  assert.equal(first.headers.get('ratelimit-remaining'), '3599')
  assert.ok(Number(first.headers.get('ratelimit-reset')) >= Math.floor(Date.now() / 1000))
})

test('who keeps sending wrong tokens gets 429; a good token from the same address goes on', async () => {
  let status = 401
  for (let attempt = 0; attempt < 100 && status === 401; attempt++)
    status = (await ask('GET', '/servers', undefined, 'hearth_wrong')).status
  assert.equal(status, 429)
  assert.equal((await ask('GET', '/servers', undefined, read)).status, 200)
})

test('the OpenAPI description names every route and resolves all its references', async () => {
  const response = await portal.api(null, 'GET', '/openapi.json')
  assert.equal(response.status, 200)
  const document = (await response.json()) as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string }>>
    components: { schemas: Record<string, unknown> }
  }
  assert.equal(document.openapi, '3.1.0')
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(described.sort(), routes.map(({ method, pattern }) => `${method} ${pattern}`).sort())
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  assert.equal(new Set(ids).size, ids.length)
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target!)
  assert.ok(references.length > 10)
  for (const reference of references) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1]
    assert.ok(name && document.components.schemas[name], reference)
  }
})

test('metrics are asked for by kind and time, and come as fine as they are kept', async () => {
  const vm = await createRunning(portal, ada, 'measured-by-api')
  const row = {
    resourceType: 'vm',
    resourceId: vm.id,
    ...{ cpu: 0.5, memoryBytes: 1, diskReads: 3, netRxBytes: 7 },
  }
  const at = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 120_000)
  await portal.db.metric.create({ data: { ...row, resolution: 10, at } })
  await portal.db.metric.create({ data: { ...row, resolution: 60, at } })
  const metrics = (type: string, hours: number, end = new Date()) => {
    const start = new Date(Date.now() - hours * 3600_000)
    return ask(
      'GET',
      `/servers/${vm.id}/metrics?type=${type}&start=${start.toISOString()}&end=${end.toISOString()}`,
    )
  }
  const fine = (await metrics('cpu,disk', 0.5)).body.metrics
  assert.equal(fine.step, 10)
  assert.deepEqual(fine.time_series.cpu.values, [[at.getTime() / 1000, '50']])
  assert.deepEqual(fine.time_series['disk.0.iops.read'].values, [[at.getTime() / 1000, '3']])
  assert.deepEqual(fine.time_series['disk.0.iops.write'].values, [])
  const coarse = (await metrics('network', 20)).body.metrics
  assert.equal(coarse.step, 60)
  assert.deepEqual(coarse.time_series['network.0.bandwidth.in'].values, [[at.getTime() / 1000, '7']])
  assert.equal((await refused(metrics('colour', 1))).status, 422)
  assert.equal((await refused(metrics('cpu', 1, new Date(0)))).status, 422)
})

test('a server is made with a volume, which goes free again with it', async () => {
  const made = await ask('POST', '/volumes', { name: 'photos', size: 1 })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  portal.agent.finish(made.body.action.id)
  const volume = () => ask('GET', `/volumes/${made.body.volume.id}`).then(({ body }) => body.volume)
  await until('the volume', async () => (await volume()).status === 'available')
  const wanted = { server_type: 'custom-1c-128m-0g', image: 'tiny-linux', start_after_create: false }
  const nothing = await refused(
    ask('POST', '/servers', { ...wanted, name: 'has-nothing', volumes: [999_999] }),
  )
  assert.equal(nothing.status, 422)
  const created = await ask('POST', '/servers', {
    ...wanted,
    name: 'has-photos',
    volumes: [made.body.volume.id],
  })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  assert.deepEqual(created.body.server.volumes, [made.body.volume.id])
  assert.equal((await volume()).server, created.body.server.id)
  const { spec } = portal.agent.asked.at(-1)!.input as { spec: { volumes: { serial: string }[] } }
  assert.deepEqual(
    spec.volumes.map(({ serial }) => serial),
    [`volume-${made.body.volume.id}`],
  )
  const second = { ...wanted, name: 'wants-photos', volumes: [made.body.volume.id] }
  assert.deepEqual(
    [(await refused(ask('POST', '/servers', second))).code, (await volume()).server],
    ['conflict', created.body.server.id],
  )
  // A creation that fails leaves it to others.
  portal.agent.finish(created.body.action.id, { code: 'no_space', message: 'The disk is full.' })
  await ask('DELETE', `/servers/${created.body.server.id}`)
  portal.agent.finish(portal.agent.asked.at(-1)!.actionId)
  await until('the volume to be free', async () => (await volume()).server === null)
})

test('a server is rebuilt from an image; what was protected is not', async () => {
  const vm = await createRunning(portal, ada, 'rebuilt-by-api')
  const protect = (on: boolean) =>
    ask('POST', `/servers/${vm.id}/actions/change_protection`, { delete: on, rebuild: on })
  const rebuild = (image: string) => ask('POST', `/servers/${vm.id}/actions/rebuild`, { image })
  await protect(true)
  assert.equal((await refused(rebuild('tiny-linux'))).code, 'protected')
  await protect(false)
  assert.equal((await refused(rebuild('nothing'))).status, 422)
  const { status, body } = await rebuild('tiny-linux')
  assert.deepEqual([status, body.action.command, body.root_password], [201, 'rebuild_server', null])
  assert.equal(portal.agent.asked.at(-1)?.path, 'vm.rebuild')
  portal.agent.finish(body.action.id)
})

test('folders of the host are an administrator’s to give, also by the API', async () => {
  const vm = await createRunning(portal, ada, 'folders-by-api')
  const where = `/servers/${vm.id}/folders`
  assert.deepEqual((await ask('GET', where)).body, { folders: [] })
  const wrong = [{ name: 'attic', writable: false }]
  assert.match((await refused(ask('PUT', where, { folders: wrong }))).message, /shares no folder attic/)
  const folders = [{ name: 'music', writable: false }]
  assert.equal((await ask('PUT', where, { folders })).status, 200)
  assert.deepEqual((await ask('GET', where)).body, { folders })
  portal.agent.finish(portal.agent.asked.at(-1)!.actionId)
  const user = { userId: (await portal.db.user.findFirstOrThrow()).id, role: 'owner' as const }
  // The same person, an administrator no more.
  await portal.db.user.update({ where: { id: user.userId }, data: { role: 'user' } })
  const answer = await refused(ask('PUT', where, { folders: [] }))
  await portal.db.user.update({ where: { id: user.userId }, data: { role: 'admin' } })
  assert.equal(answer.status, 403)
  assert.deepEqual((await ask('GET', where)).body, { folders })
})
