import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { admin, codeFrom, TestPortal } from '../testing/test-portal.ts'

let portal: TestPortal

before(async () => {
  portal = await TestPortal.start()
})
after(() => portal.stop())

const complete = (token: string, more: object = {}) =>
  portal.connect().trpc.setup.complete.mutate({ token, homeName: 'Our home', ...admin, ...more })

test('the set-up link: wrong, too old, replaced at the next start', async () => {
  const { trpc } = portal.connect()
  assert.equal((await trpc.session.get.query()).setupNeeded, true)
  assert.equal((await trpc.setup.check.query({ token: 'guess' })).status, 'invalid')
  assert.equal(await codeFrom(complete('guess')), 'forbidden')
  const first = portal.setupToken
  assert.equal((await trpc.setup.check.query({ token: first })).status, 'valid')

  await portal.restartPortal()
  assert.notEqual(portal.setupToken, first)
  assert.equal(await codeFrom(complete(first)), 'forbidden')

  await portal.db.setupToken.updateMany({ data: { expiresAt: new Date(Date.now() - 1) } })
  assert.equal(
    (await portal.connect().trpc.setup.check.query({ token: portal.setupToken })).status,
    'expired',
  )
  assert.equal(await codeFrom(complete(portal.setupToken)), 'forbidden')
  assert.equal(await portal.db.user.count(), 0)
  await portal.restartPortal()
  // Only its hash is kept.
  assert.ok(!JSON.stringify(await portal.db.setupToken.findMany()).includes(portal.setupToken))
})

test('a password that is too short is refused with its field', async () => {
  await assert.rejects(complete(portal.setupToken, { password: 'short' }), (error: { data?: unknown }) =>
    JSON.stringify(error.data).includes('"path":"password"'),
  )
})

test('of two people with the link at the same time one becomes the administrator', async () => {
  const token = portal.setupToken
  const results = await Promise.all([
    codeFrom(complete(token)),
    codeFrom(complete(token, { email: 'bob@example.org' })),
    codeFrom(complete(token, { email: 'eve@example.org' })),
  ])
  assert.equal(results.filter((result) => result === 'no error').length, 1, results.join())
  assert.equal(await portal.db.user.count(), 1)
  assert.equal(await portal.db.project.count(), 1)
  const { trpc } = portal.connect()
  assert.deepEqual(await trpc.setup.check.query({ token }), { status: 'done' })
  assert.equal(await codeFrom(complete(token, { email: 'late@example.org' })), 'conflict')
  const session = await trpc.session.get.query()
  assert.equal(session.setupNeeded, false)
  assert.equal(session.homeName, 'Our home')
  await portal.restartPortal()
  assert.equal(portal.started.setupUrl, null)
})
