import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { admin, codeFrom, TestPortal } from '../testing/test-portal.ts'
import { readOidcConfig } from './oidc.ts'

/** A small identity provider: it says of whoever comes that they are `email`. */
class Provider {
  email = admin.email
  issuer = ''
  nonce = ''
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  #server: Server | undefined

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', this.issuer)
      const answer = this.#answer(pathname)
      response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? {}))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    this.issuer = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    this.#server = server
  }

  stop(): void {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }

  #claims() {
    return { sub: `sub-of-${this.email}`, email: this.email, email_verified: true, name: 'From elsewhere' }
  }

  #answer(pathname: string): unknown {
    const { issuer } = this
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          userinfo_endpoint: `${issuer}/userinfo`,
          jwks_uri: `${issuer}/jwks`,
          id_token_signing_alg_values_supported: ['RS256'],
        }
      case '/jwks':
        return {
          keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }],
        }
      case '/userinfo':
        return this.#claims()
      case '/token':
        return { access_token: 'access', token_type: 'Bearer', expires_in: 60, id_token: this.#idToken() }
      default:
        return undefined
    }
  }

  #idToken(): string {
    const now = Math.floor(Date.now() / 1000)
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const body = `${encode({ alg: 'RS256', kid: 'one' })}.${encode({
      ...this.#claims(),
      iss: this.issuer,
      aud: 'hearth',
      iat: now,
      exp: now + 60,
      nonce: this.nonce,
    })}`
    return `${body}.${sign('RSA-SHA256', Buffer.from(body), this.#keys.privateKey).toString('base64url')}`
  }
}

const provider = new Provider()
let portal: TestPortal

before(async () => {
  await provider.start()
  portal = await TestPortal.start()
  const config = {
    name: 'Our directory',
    issuer: provider.issuer,
    clientId: 'hearth',
    clientSecret: 'secret',
  }
  await writeFile(path.join(portal.state, 'oidc.json'), JSON.stringify(config))
  await portal.setUp()
  await portal.restartPortal()
})
after(async () => {
  await portal.stop()
  provider.stop()
})

const cookiesOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')

/** As a browser: to the provider and back. */
async function signInThere(): Promise<Response> {
  const begun = await portal.post('/api/auth/sign-in/social', {
    provider: 'oidc',
    callbackURL: '/',
    errorCallbackURL: '/sign-in',
  })
  assert.equal(begun.status, 200)
  const address = new URL(((await begun.json()) as { url: string }).url)
  assert.equal(address.origin, provider.issuer)
  assert.equal(address.searchParams.get('code_challenge_method'), 'S256')
  provider.nonce = address.searchParams.get('nonce') ?? ''
  const back = new URL(address.searchParams.get('redirect_uri') ?? '')
  assert.equal(back.origin, portal.url)
  back.searchParams.set('code', randomUUID())
  back.searchParams.set('state', address.searchParams.get('state') ?? '')
  return fetch(back, { redirect: 'manual', headers: { cookie: cookiesOf(begun) } })
}

test('the home’s identity provider opens an account that exists, by its address', async () => {
  assert.equal((await portal.connect().trpc.session.get.query()).oidcName, 'Our directory')
  const response = await signInThere()
  assert.equal(response.status, 302)
  assert.equal(new URL(response.headers.get('location') ?? '', portal.url).pathname, '/')
  const { user } = await portal.connect(cookiesOf(response)).trpc.session.get.query()
  assert.equal(user?.email, admin.email)
})

test('it makes no account for who was not invited', async () => {
  provider.email = 'stranger@example.org'
  const response = await signInThere()
  assert.equal(new URL(response.headers.get('location') ?? '', portal.url).pathname, '/sign-in')
  assert.equal(await codeFrom(portal.connect(cookiesOf(response)).trpc.vm.list.query()), 'unauthorized')
  assert.equal(await portal.db.user.count(), 1)
})

test('a file that is no configuration is named', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-oidc-'))
  const file = path.join(folder, 'oidc.json')
  assert.equal(await readOidcConfig(file), null)
  await writeFile(file, '{"issuer": "ftp://x"}')
  await assert.rejects(readOidcConfig(file), /has to hold/)
  await rm(folder, { recursive: true })
})
