import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createOTP } from '@better-auth/utils/otp'
import { admin, codeFrom, type Person, TestPortal } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person
let secret: string
let recovery: string[]

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
})
after(() => portal.stop())
// What is tested here is not the limit of attempts; that has a test of its own.
beforeEach(() => portal.db.rateLimit.deleteMany())

const cookiesOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')

const passwordStep = () =>
  portal.post('/api/auth/sign-in/email', { email: admin.email, password: admin.password })

const code = () => createOTP(secret).totp()

const kinds = async () =>
  (await portal.db.activity.findMany({ orderBy: { id: 'asc' } })).map(({ kind }) => kind)

test('codes from an app: turned on by the password and a first code', async () => {
  const enable = (password: string) =>
    portal.post('/api/auth/two-factor/enable', { password }, { cookie: ada.cookie })
  assert.equal((await enable('wrong horse battery')).status, 400)
  const response = await enable(admin.password)
  assert.equal(response.status, 200)
  const answer = (await response.json()) as { totpURI: string; backupCodes: string[] }
  const uri = new URL(answer.totpURI)
  assert.equal(uri.searchParams.get('issuer'), 'Hearth')
  // The secret in the address is base32 of what the library counts with.
  const { base32 } = await import('@better-auth/utils/base32')
  secret = new TextDecoder().decode(base32.decode(uri.searchParams.get('secret') ?? ''))
  recovery = answer.backupCodes
  assert.equal(recovery.length, 10)
  // Not before a first code: who scanned nothing is not locked out.
  assert.equal(
    ((await (await passwordStep()).json()) as { twoFactorRedirect?: true }).twoFactorRedirect,
    undefined,
  )
  const verify = await portal.post(
    '/api/auth/two-factor/verify-totp',
    { code: await code() },
    { cookie: ada.cookie },
  )
  assert.equal(verify.status, 200)
  ada = portal.connect(cookiesOf(verify))
  assert.equal((await ada.trpc.session.get.query()).user?.twoFactor, true)
  const kept = JSON.stringify(await portal.db.twoFactor.findMany())
  assert.ok(!kept.includes(secret) && recovery.every((one) => !kept.includes(one)), 'kept encrypted')
  assert.ok((await kinds()).includes('account.security'))
})

test('the password alone then opens nothing and is not told as a sign-in; with a code it does and is', async () => {
  const before = (await kinds()).filter((kind) => kind === 'session.sign_in').length
  const first = await passwordStep()
  assert.equal(((await first.json()) as { twoFactorRedirect?: boolean }).twoFactorRedirect, true)
  const half = cookiesOf(first)
  assert.equal(await codeFrom(portal.connect(half).trpc.vm.list.query()), 'unauthorized')
  const wrong = await portal.post('/api/auth/two-factor/verify-totp', { code: '000000' }, { cookie: half })
  assert.equal(wrong.status, 401)
  const told = async () => (await kinds()).filter((kind) => kind === 'session.sign_in').length
  assert.equal(await told(), before)
  const second = await portal.post(
    '/api/auth/two-factor/verify-totp',
    { code: await code() },
    { cookie: half },
  )
  assert.equal(second.status, 200)
  assert.equal(await codeFrom(portal.connect(cookiesOf(second)).trpc.vm.list.query()), 'no error')
  assert.equal(await told(), before + 1)
  assert.ok(!(await kinds()).slice(-3).includes('session.sign_out'))
})

test('a recovery code works once', async () => {
  const use = async () => {
    const half = cookiesOf(await passwordStep())
    return (
      await portal.post('/api/auth/two-factor/verify-backup-code', { code: recovery[0] }, { cookie: half })
    ).status
  }
  assert.equal(await use(), 200)
  assert.equal(await use(), 401)
})

test('guessing codes is limited, from one address and for one account', async () => {
  const half = cookiesOf(await passwordStep())
  const statuses: number[] = []
  for (let attempt = 0; attempt < 12; attempt++) {
    const guess = await portal.post('/api/auth/two-factor/verify-totp', { code: '111111' }, { cookie: half })
    statuses.push(guess.status)
  }
  assert.equal(statuses.at(-1), 429)
  // Another address does not help: the account itself takes no more guesses.
  await portal.db.rateLimit.deleteMany()
  const late = await portal.post('/api/auth/two-factor/verify-totp', { code: await code() }, { cookie: half })
  assert.notEqual(late.status, 200)
  await portal.db.twoFactor.updateMany({ data: { failedVerificationCount: 0, lockedUntil: null } })
})

test('what is dangerous asks for the password again after a quarter of an hour', async () => {
  const { trpc } = ada
  const token = () => codeFrom(trpc.token.create.mutate({ name: 'x', scope: 'read', expiresInDays: 1 }))
  assert.equal(await token(), 'no error')
  const long = new Date(Date.now() - 16 * 60_000)
  await portal.db.session.updateMany({ data: { createdAt: long, confirmedAt: null } })
  assert.equal(await token(), 'confirm_identity')
  assert.equal(await codeFrom(trpc.person.remove.mutate({ userId: 'x' })), 'confirm_identity')
  const options = () =>
    fetch(`${portal.url}/api/auth/passkey/generate-register-options`, { headers: { cookie: ada.cookie } })
  assert.equal((await options()).status, 403)
  assert.equal(
    await codeFrom(trpc.session.confirm.mutate({ password: 'wrong horse battery' })),
    'invalid_input',
  )
  assert.equal(await token(), 'confirm_identity')
  assert.equal(await codeFrom(trpc.session.confirm.mutate({ password: admin.password })), 'no error')
  assert.equal(await token(), 'no error')
  const passkey = await options()
  assert.equal(passkey.status, 200)
  const { rp, authenticatorSelection } = (await passkey.json()) as {
    rp: { id: string }
    authenticatorSelection: { userVerification: string }
  }
  assert.equal(rp.id, 'localhost')
  assert.equal(authenticatorSelection.userVerification, 'required')
  let refusal = ''
  for (let attempt = 0; attempt < 12; attempt++)
    refusal = await codeFrom(trpc.session.confirm.mutate({ password: 'wrong horse battery' }))
  assert.equal(refusal, 'conflict')
})

test('codes are turned off by the password, and the session goes on', async () => {
  const response = await portal.post(
    '/api/auth/two-factor/disable',
    { password: admin.password },
    { cookie: ada.cookie },
  )
  assert.equal(response.status, 200)
  const { user } = await portal.connect(cookiesOf(response)).trpc.session.get.query()
  assert.equal(user?.twoFactor, false)
  assert.equal(await portal.db.twoFactor.count(), 0)
})
