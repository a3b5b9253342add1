import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { runCommand } from './cli.ts'
import { admin, type Person, TestPortal, until } from './testing/test-portal.ts'

let portal: TestPortal
let ada: Person

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
})
after(() => portal.stop())

const run = (...argv: string[]) => runCommand(argv, portal.state)
const untilSignedOut = (person: Person) =>
  until('the sessions to end', () =>
    person.trpc.session.get.query().then(
      ({ user }) => user === null,
      () => false,
    ),
  )

test('a forgotten password is reset beside a portal that runs; the old one and all sessions end', async () => {
  const said = await run('reset-password', admin.email.toUpperCase())
  const password = /: (\S+)\n/.exec(said)?.[1] ?? ''
  assert.ok(password.length >= 16, said)
  await untilSignedOut(ada)
  await assert.rejects(portal.signIn(), /401/)
  const back = await portal.signIn({ email: admin.email, password })
  const { items } = await back.trpc.activity.list.query({ limit: 20 })
  assert.equal(items.find(({ kind }) => kind === 'account.security')?.actor.name, 'Command line')
  ada = back
})

test('codes and passkeys are taken away, an administrator is made', async () => {
  const user = await portal.db.user.findFirstOrThrow()
  await portal.db.user.update({ where: { id: user.id }, data: { twoFactorEnabled: true, role: 'member' } })
  await portal.db.twoFactor.create({
    data: { id: randomUUID(), userId: user.id, secret: 'x', backupCodes: 'x' },
  })
  assert.match(await run('people'), /ada@example\.org \(Ada\): password, codes/)
  assert.match(await run('reset-2fa', admin.email), /password alone/)
  assert.equal(await portal.db.twoFactor.count(), 0)
  await untilSignedOut(ada)
  await run('make-admin', admin.email)
  assert.match(await run('people'), /administrator\): password\n/)
})

test('a new set-up link while there is no administrator, and none afterwards', async () => {
  await assert.rejects(run('setup-link'), /has an administrator already/)
  await portal.db.user.updateMany({ data: { role: 'member' } })
  const token = /#token=(\S+)\n/.exec(await run('setup-link'))?.[1]
  assert.equal(await (await ada.trpc.setup.check.query({ token: token ?? '' })).status, 'valid')
  await run('make-admin', admin.email)
})

test('what cannot be done says what to do', async () => {
  assert.match(await run(), /Usage/)
  await assert.rejects(run('reset-password'), /Say whose/)
  await assert.rejects(run('reset-password', 'nobody@example.org'), /Nobody here.*\n\nada@example\.org/)
  await assert.rejects(run('dance'), /no command dance/)
  await assert.rejects(run('people', '--state', '/nowhere'), /There is no Hearth in \/nowhere/)
})
