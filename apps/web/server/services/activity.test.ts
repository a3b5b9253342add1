import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admin, createRunning, TestPortal } from '../testing/test-portal.ts'

test('activity is filtered by words, by kind, by failure and by time', async (t) => {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  const ada = await portal.setUp()
  await createRunning(portal, ada, 'web-1')
  await portal.signIn({ email: admin.email, password: 'not the password' }).catch(() => {})
  const kinds = async (filter: Parameters<typeof ada.trpc.activity.list.query>[0]) =>
    (await ada.trpc.activity.list.query(filter)).items.map(({ kind }) => kind)

  assert.deepEqual(await kinds({ query: 'web-1' }), ['vm.create'])
  assert.deepEqual(await kinds({ query: 'created ada' }), ['vm.create'])
  assert.deepEqual(await kinds({ query: 'created nobody' }), [])
  assert.deepEqual(await kinds({ groups: ['vm', 'image'] }), ['vm.create'])
  assert.deepEqual(await kinds({ failed: true }), ['session.sign_in_failed'])
  assert.deepEqual(await kinds({ since: new Date(Date.now() + 60_000).toISOString() }), [])
  assert.ok((await kinds({})).length > 3)
})
