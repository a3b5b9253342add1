import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { getTransformer } from '@trpc/client/unstable-internals'
import superjson from 'superjson'
import { type Person, TestPortal } from '../testing/test-portal.ts'
import { appRouter } from './router.ts'

/** What anybody who reaches the portal may call. Whoever adds to this list says so here. */
const publicPaths = ['session.get', 'setup.check', 'setup.complete']

let portal: TestPortal

before(async () => {
  portal = await TestPortal.start()
})
after(() => portal.stop())

interface Described {
  type: 'query' | 'mutation' | 'subscription'
  meta?: { access?: string }
}

function procedures(): [string, Described][] {
  const all = appRouter._def.procedures as unknown as Record<string, { _def: Described }>
  return Object.entries(all).map(([path, { _def }]) => [path, _def])
}

test('every procedure says who may call it', () => {
  const found = procedures()
  assert.ok(found.length > 20)
  for (const [path, { meta }] of found)
    assert.ok(['public', 'member', 'admin'].includes(meta?.access ?? 'nobody said'), path)
  assert.deepEqual(
    found.filter(([, { meta }]) => meta?.access === 'public').map(([path]) => path),
    publicPaths,
  )
})

/** Calls by name, past the types: as whoever means harm would. */
function call(socket: Person['socket'], path: string, type: Described['type']): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  socket
    .request({ op: { id: 1, path, type, input: {}, signal: null }, transformer: getTransformer(superjson) })
    .subscribe({ next: resolve, error: resolve })
  return promise
}

test('nobody gets past any procedure that is not public, over a real socket', async () => {
  const nobody = portal.connect()
  for (const [path, { type }] of procedures()) {
    if (publicPaths.includes(path)) continue
    const answer = JSON.stringify(await call(nobody.socket, path, type))
    assert.match(answer, /UNAUTHORIZED/, `${path}: ${answer}`)
  }
})

test('a member who is no administrator cannot build images', async () => {
  const admin = await portal.setUp()
  await portal.db.user.updateMany({ data: { role: 'member' } })
  await assert.rejects(admin.trpc.image.build.mutate({ imageUid: 'absent-1' }), /Only an administrator/)
  assert.equal((await admin.trpc.session.get.query()).user?.role, 'member')
  await portal.db.user.updateMany({ data: { role: 'admin' } })
})
