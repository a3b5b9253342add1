import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { admin, codeFrom, type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'
import type { ProjectView } from '../views/project.ts'

let portal: TestPortal
let ada: Person
let kids: ProjectView

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  kids = await ada.trpc.project.create.mutate({ name: 'Kids' })
})
after(() => portal.stop())

const password = 'a long pass phrase'
const tokenOf = (path: string) => path.replace('/invitation#token=', '')

async function invite(role: 'viewer' | 'member' | 'owner', note = '') {
  const made = await ada.trpc.invitation.create.mutate({ projectId: kids.id, role, note })
  return { ...made, token: tokenOf(made.path) }
}

async function kinds(): Promise<string[]> {
  return (await ada.trpc.activity.list.query({ limit: 200 })).items.map(({ kind }) => kind)
}

test('an invitation by link: seen, used once by a newcomer, who then makes a VM of the project', async () => {
  const { token, invitation } = await invite('member', 'Ben')
  assert.equal(invitation.status, 'open')
  const nobody = portal.connect()
  assert.deepEqual(await nobody.trpc.invitation.check.query({ token }), {
    status: 'open',
    project: 'Kids',
    role: 'member',
    invitedBy: admin.name,
  })
  const register = (email: string) =>
    codeFrom(nobody.trpc.invitation.register.mutate({ token, name: 'Ben', email, password }))
  assert.equal(await register(admin.email), 'uniqueness_error')
  // Of several with the link at the same time one gets in; nobody else leaves an account behind.
  const results = await Promise.all(['ben@example.org', 'eve@example.org', 'mal@example.org'].map(register))
  assert.equal(results.filter((code) => code === 'no error').length, 1, results.join())
  assert.equal(await portal.db.user.count(), 2)
  assert.equal((await nobody.trpc.invitation.check.query({ token })).status, 'used')

  const { email } = await portal.db.user.findFirstOrThrow({ where: { name: 'Ben' } })
  const ben = await portal.signIn({ email, password })
  const { projects } = await ben.trpc.session.get.query()
  assert.deepEqual(projects, [{ id: kids.id, name: 'Kids', role: 'member' }])
  const { vm } = await ben.trpc.vm.create.mutate(tinyVm('bens-first'))
  assert.equal(vm.project.id, kids.id)
  const members = await ben.trpc.project.members.query({ projectId: kids.id })
  assert.deepEqual(
    members.map(({ name, role }) => [name, role]),
    [
      [admin.name, 'owner'],
      ['Ben', 'member'],
    ],
  )
  assert.ok((await kinds()).includes('member.add'))
  // Only its hash is kept.
  assert.ok(!JSON.stringify(await portal.db.invitation.findMany()).includes(token))
})

test('an invitation that is too old or taken back is refused, without work or trace', async () => {
  const old = await invite('viewer')
  await portal.db.invitation.update({
    where: { id: old.invitation.id },
    data: { expiresAt: new Date(Date.now() - 1) },
  })
  const revoked = await invite('viewer')
  await ada.trpc.invitation.revoke.mutate({ projectId: kids.id, invitationId: revoked.invitation.id })
  const before = await portal.db.user.count()
  for (const [token, status] of [
    [old.token, 'expired'],
    [revoked.token, 'revoked'],
    ['guess', 'unknown'],
  ] as const) {
    const { trpc } = portal.connect()
    assert.equal((await trpc.invitation.check.query({ token })).status, status)
    const register = { token, name: 'Mal', email: 'mal@example.org', password }
    assert.equal(await codeFrom(trpc.invitation.register.mutate(register)), 'conflict')
    assert.equal(await codeFrom(ada.trpc.invitation.accept.mutate({ token })), 'conflict')
  }
  assert.equal(await portal.db.user.count(), before)
  assert.equal(
    await codeFrom(ada.trpc.invitation.revoke.mutate({ projectId: 1, invitationId: revoked.invitation.id })),
    'not_found',
  )
})

test('who has an account accepts with it; a greater role is kept', async () => {
  const vera = await portal.addPerson('Vera', {})
  assert.equal(await codeFrom(vera.trpc.vm.create.mutate(tinyVm('no-project'))), 'forbidden')
  const first = await invite('owner')
  assert.deepEqual(await vera.trpc.invitation.accept.mutate({ token: first.token }), { projectId: kids.id })
  const second = await invite('viewer')
  await vera.trpc.invitation.accept.mutate({ token: second.token })
  assert.equal((await vera.trpc.session.get.query()).projects[0]?.role, 'owner')
})

test('a project keeps an owner, the home an administrator', async () => {
  const members = await ada.trpc.project.members.query({ projectId: kids.id })
  const [me] = members
  const vera = members.find(({ name }) => name === 'Vera')
  assert.ok(me && vera)
  await ada.trpc.project.setRole.mutate({ projectId: kids.id, userId: vera.userId, role: 'member' })
  const leave = () => codeFrom(ada.trpc.project.leave.mutate({ projectId: kids.id }))
  assert.equal(await leave(), 'conflict')
  const demote = ada.trpc.project.setRole.mutate({ projectId: kids.id, userId: me.userId, role: 'viewer' })
  assert.equal(await codeFrom(demote), 'conflict')
  await ada.trpc.project.setRole.mutate({ projectId: kids.id, userId: vera.userId, role: 'owner' })
  assert.equal(await leave(), 'no error')
  // As an administrator one is an owner still, and asked to do nothing as a member.
  const [, view] = await ada.trpc.project.list.query()
  assert.equal(view?.role, 'owner')
  assert.equal(view?.can.leave.ok, false)

  const stepDown = ada.trpc.person.setRole.mutate({ userId: me.userId, role: 'member' })
  assert.equal(await codeFrom(stepDown), 'conflict')
  assert.equal(await codeFrom(ada.trpc.person.remove.mutate({ userId: me.userId })), 'conflict')
})

test('who is removed from the home is signed out at once, and their VMs stay', async () => {
  const gone = await portal.addPerson('Gone', { [kids.id]: 'member' })
  const { vm } = await gone.trpc.vm.create.mutate(tinyVm('left-behind'))
  const person = (await ada.trpc.person.list.query()).find(({ name }) => name === 'Gone')
  await ada.trpc.person.remove.mutate({ userId: person!.userId })
  await until('the socket to be anonymous', () =>
    gone.trpc.session.get.query().then(
      ({ user }) => user === null,
      () => false,
    ),
  )
  assert.equal((await ada.trpc.vm.get.query({ id: vm.id })).name, 'left-behind')
})

test('a member asks for more, sees the answer, and then has it; an owner may only decline', async () => {
  const { id: projectId } = await ada.trpc.project.create.mutate({ name: 'Lab' })
  await ada.trpc.quota.set.mutate({ projectId, limits: { vms: 1 } })
  const mia = await portal.addPerson('Mia', { [projectId]: 'member' })
  const olga = await portal.addPerson('Olga', { [projectId]: 'owner' })
  await mia.trpc.vm.create.mutate(tinyVm('only-one'))
  const create = () => codeFrom(mia.trpc.vm.create.mutate(tinyVm('second')))
  assert.equal(await create(), 'resource_limit_exceeded')

  const asked = await mia.trpc.quota.request.mutate({ projectId, key: 'vms', wanted: 2 })
  // Asking twice is one question, and the larger wish stands.
  const again = await mia.trpc.quota.request.mutate({ projectId, key: 'vms', wanted: 3, reason: 'A game' })
  assert.equal(again.id, asked.id)
  const [seen] = (await olga.trpc.project.list.query())[0]?.requests ?? []
  assert.deepEqual(
    [seen?.person, seen?.wanted, seen?.reason, seen?.can.grant.ok, seen?.can.decline.ok],
    ['Mia', 3, 'A game', false, true],
  )
  assert.equal(await codeFrom(olga.trpc.quota.answer.mutate({ id: asked.id, grant: true })), 'forbidden')
  assert.equal(await codeFrom(mia.trpc.quota.answer.mutate({ id: asked.id, grant: false })), 'forbidden')
  await ada.trpc.quota.answer.mutate({ id: asked.id, grant: true, answer: 'Have fun' })
  assert.equal(await codeFrom(ada.trpc.quota.answer.mutate({ id: asked.id, grant: true })), 'conflict')
  const [answered] = (await mia.trpc.project.list.query())[0]?.requests ?? []
  assert.deepEqual(
    [answered?.status, answered?.answer, answered?.answeredBy],
    ['granted', 'Have fun', admin.name],
  )
  assert.equal(await create(), 'no error')
  const enough = mia.trpc.quota.request.mutate({ projectId, key: 'vms', wanted: 3 })
  assert.equal(await codeFrom(enough), 'conflict')
})

test('a script reads its quota and asks for more', async () => {
  const { id: projectId } = await ada.trpc.project.create.mutate({ name: 'Scripts' })
  const { secret } = await ada.trpc.token.create.mutate({
    projectId,
    name: 'ci',
    scope: 'write',
    expiresInDays: 1,
  })
  const { project } = (await (await portal.api(secret, 'GET', '/hearth/project')).json()) as {
    project: { name: string; quota: { key: string; used: number; limit: number }[] }
  }
  assert.equal(project.name, 'Scripts')
  assert.deepEqual(
    project.quota.find(({ key }) => key === 'vms'),
    { key: 'vms', used: 0, limit: 5 },
  )
  const asked = await portal.api(secret, 'POST', '/hearth/project/quota_requests', { key: 'vms', wanted: 9 })
  assert.equal(asked.status, 201)
  const less = await portal.api(secret, 'POST', '/hearth/project/quota_requests', { key: 'vms', wanted: 2 })
  assert.equal(less.status, 409)
})

test('the default holds for projects without limits of their own', async () => {
  const { id: projectId } = await ada.trpc.project.create.mutate({ name: 'Guests' })
  const limit = async () => {
    const project = (await ada.trpc.project.list.query()).find(({ id }) => id === projectId)
    return project?.quota.find(({ key }) => key === 'vcpus')
  }
  await ada.trpc.home.update.mutate({ quota: { vcpus: 3 } })
  assert.deepEqual(await limit(), { key: 'vcpus', used: 0, limit: 3, isDefault: true })
  await ada.trpc.quota.set.mutate({ projectId, limits: { vcpus: 'unlimited' } })
  assert.deepEqual(await limit(), { key: 'vcpus', used: 0, limit: null, isDefault: false })
  await ada.trpc.quota.set.mutate({ projectId, limits: { vcpus: null } })
  assert.equal((await limit())?.limit, 3)
})

test('a project is deleted by its name, when nothing is in it; its name is free again, its tokens are dead', async () => {
  const { id: projectId } = await ada.trpc.project.create.mutate({ name: 'Brief' })
  const { secret } = await ada.trpc.token.create.mutate({
    projectId,
    name: 'brief',
    scope: 'read',
    expiresInDays: 1,
  })
  assert.equal((await portal.api(secret, 'GET', '/servers')).status, 200)
  const remove = (id: number, confirmName: string) =>
    codeFrom(ada.trpc.project.delete.mutate({ projectId: id, confirmName }))
  assert.equal(await remove(projectId, 'brief'), 'invalid_input')
  assert.equal(await remove(kids.id, 'Kids'), 'conflict')
  assert.equal(await remove(projectId, 'Brief'), 'no error')
  assert.equal((await portal.api(secret, 'GET', '/servers')).status, 401)
  assert.equal(await codeFrom(ada.trpc.project.rename.mutate({ projectId, name: 'Back' })), 'not_found')
  assert.equal(await codeFrom(ada.trpc.project.create.mutate({ name: 'Brief' })), 'no error')
  assert.equal(await codeFrom(ada.trpc.project.create.mutate({ name: 'Brief' })), 'uniqueness_error')
})
