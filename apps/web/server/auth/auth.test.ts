import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { after, before, test } from 'node:test'
import WebSocket from 'ws'
import { admin, codeFrom, type Person, TestPortal, until } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
})
after(() => portal.stop())

test('the session cookie is http-only and same-site, and names the person', async () => {
  const response = await portal.post('/api/auth/sign-in/email', {
    email: admin.email,
    password: admin.password,
  })
  const [cookie = ''] = response.headers.getSetCookie()
  assert.match(cookie, /^hearth\.session_token=/)
  assert.match(cookie, /HttpOnly/i)
  assert.match(cookie, /SameSite=Lax/i)
  const session = await ada.trpc.session.get.query()
  assert.deepEqual(session.user && { ...session.user, id: '' }, {
    id: '',
    name: admin.name,
    email: admin.email,
    role: 'admin',
    twoFactor: false,
  })
})

test('a wrong password is refused, told in the activity, and limited', async () => {
  const wrong = { email: admin.email, password: 'wrong horse battery' }
  const first = await portal.post('/api/auth/sign-in/email', wrong)
  assert.equal(first.status, 401)
  const { items } = await ada.trpc.activity.list.query({ limit: 10 })
  const entry = items.find(({ kind }) => kind === 'session.sign_in_failed')
  assert.equal(entry?.from, '127.0.0.1')
  assert.ok(!JSON.stringify(items).includes('wrong horse'))
  let status = 401
  for (let attempt = 0; attempt < 30 && status !== 429; attempt++)
    status = (await portal.post('/api/auth/sign-in/email', wrong)).status
  assert.equal(status, 429)
  // The limit is kept in the database: a restart does not help who guesses.
  assert.ok((await portal.db.rateLimit.count()) > 0)
  await portal.db.rateLimit.deleteMany()
})

test('nobody can sign up', async () => {
  const response = await portal.post('/api/auth/sign-up/email', { ...admin, email: 'new@example.org' })
  assert.ok(response.status >= 400, String(response.status))
  assert.equal(await portal.db.user.count(), 1)
})

test('a page of another origin gets no socket and no sign-in; another host name gets nothing', async () => {
  const cross = await portal.post(
    '/api/auth/sign-in/email',
    { email: admin.email, password: admin.password },
    { origin: 'http://localhost:9' },
  )
  assert.equal(cross.status, 403)
  for (const origin of ['http://evil.example', 'http://localhost:9', undefined]) {
    const socket = new WebSocket(`${portal.url.replace('http', 'ws')}/trpc`, {
      headers: { cookie: ada.cookie, ...(origin ? { origin } : {}) },
    })
    const [error] = (await once(socket, 'error')) as [Error]
    assert.match(error.message, /403/)
  }
  const foreign = request(`${portal.url}/healthz`, { headers: { host: 'rebound.example' } })
  foreign.end()
  const [answer] = await once(foreign, 'response')
  assert.equal(answer.statusCode, 421)
  answer.resume()
})

test('the portal also answers as localhost, as an origin of its own', async () => {
  const url = portal.url.replace('127.0.0.1', 'localhost')
  const response = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ email: admin.email, password: admin.password }),
  })
  assert.equal(response.status, 200)
})

test('signing out ends the socket of that session at once, and only its', async () => {
  const other = await portal.signIn()
  assert.ok((await other.trpc.session.get.query()).user)
  assert.ok((await ada.trpc.session.get.query()).user)
  const out = await portal.post('/api/auth/sign-out', {}, { cookie: other.cookie })
  assert.equal(out.status, 200)
  // A call that is under way when the socket closes fails; the next one finds a new socket.
  await until('the socket to be anonymous', () =>
    other.trpc.session.get.query().then(
      ({ user }) => user === null,
      () => false,
    ),
  )
  // Until the portal has closed it, that was the old socket.
  await until('a refusal', async () => (await codeFrom(other.trpc.vm.list.query())) === 'unauthorized')
  assert.equal(await codeFrom(ada.trpc.vm.list.query()), 'no error')
})

test('secrets and database are readable by their owner only', async () => {
  for (const folder of ['secrets', 'portal']) {
    assert.equal((await stat(path.join(portal.state, folder))).mode & 0o777, 0o700, folder)
    for (const file of await readdir(path.join(portal.state, folder))) {
      const { mode } = await stat(path.join(portal.state, folder, file))
      assert.equal(mode & 0o077, 0, `${folder}/${file} ${mode.toString(8)}`)
    }
  }
})
