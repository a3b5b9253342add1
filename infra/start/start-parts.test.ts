import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { contentHash } from '../lib/content-hash.ts'
import { freePort } from '../lib/free-port.ts'
import { Trouble } from '../lib/steps.ts'
import { checkPort } from './ports.ts'
import { startService, untilReady } from './service.ts'
import { lockState, openState, readSecret, type State, secretFile } from './state.ts'
import { ensureTls } from './tls.ts'

let directory: string
let state: State
before(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'hearth-start-'))
  state = await openState(path.join(directory, 'state'))
})
after(() => rm(directory, { recursive: true }))

test('a taken port is told before anything is built, with another to try', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as net.AddressInfo
  await assert.rejects(checkPort('127.0.0.1', port), (error: Error) => {
    assert.ok(error instanceof Trouble)
    assert.match(error.message, new RegExp(`Port ${port} .* is taken,.*--port ${port + 1}`))
    return true
  })
  await new Promise((resolve) => server.close(resolve))
  await checkPort('127.0.0.1', port)
  await assert.rejects(checkPort('203.0.113.7', port), /is not an address of this machine/)
})

test('the state folder is private where it must be, and used by one Hearth at a time', async () => {
  assert.equal((await stat(state.secrets)).mode & 0o777, 0o700)
  await lockState(state)
  await assert.rejects(lockState(state), /Another Hearth is running with the state folder/)
})

test('a state folder that is a file is refused with what to do', async () => {
  const file = path.join(directory, 'file')
  await writeFile(file, '')
  await assert.rejects(openState(file), /--state DIR/)
})

test('a secret is made once, for our eyes only', async () => {
  const file = await secretFile(state, 'token')
  const secret = await readSecret(file)
  assert.ok(secret.length >= 40)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal(await readSecret(await secretFile(state, 'token')), secret)
})

test('the certificate is signed by the local authority, names the host, and is kept while it is good', async () => {
  const tls = await ensureTls(state, 'box.home.arpa', '192.0.2.7')
  const authority = new X509Certificate(await readFile(tls.authority))
  const certificate = new X509Certificate(await readFile(tls.certificate))
  assert.ok(authority.ca)
  assert.ok(certificate.verify(authority.publicKey))
  assert.ok(certificate.checkHost('box.home.arpa'))
  assert.ok(certificate.checkIP('192.0.2.7'))
  assert.ok(!certificate.checkHost('other.home.arpa'))
  const again = await ensureTls(state, 'box.home.arpa', '192.0.2.7')
  assert.equal(new X509Certificate(await readFile(again.certificate)).serialNumber, certificate.serialNumber)
  const renamed = await ensureTls(state, 'den.home.arpa', '192.0.2.7')
  assert.ok(new X509Certificate(await readFile(renamed.certificate)).checkHost('den.home.arpa'))
  assert.ok(new X509Certificate(await readFile(renamed.certificate)).verify(authority.publicKey))
})

test('a service that ends instead of starting is told with its last words', async () => {
  const service = await startService({
    name: 'failing',
    command: process.execPath,
    args: ['-e', 'console.error("the database is on fire"); process.exit(3)'],
    logs: state.logs,
    cwd: directory,
  })
  await assert.rejects(
    untilReady(service, async () => false, 60_000),
    /ended with exit code 3 instead of starting.*on fire/s,
  )
  await service.stop()
})

test('a service that ends by itself leaves how, and its own last words only', async () => {
  const run = (program: string) =>
    startService({
      name: 'mortal',
      command: process.execPath,
      args: ['-e', program],
      logs: state.logs,
      cwd: directory,
    })
  const loud = await run('console.error("I was first"); process.exit(0)')
  assert.equal(await loud.ended, 'ended with exit code 0')
  assert.equal(await loud.lastWords(), '    I was first')
  const killed = await run('process.kill(process.pid, "SIGKILL")')
  assert.match(await killed.ended, /SIGKILL.*want of memory/)
  assert.equal(await killed.lastWords(), '')
  assert.match(
    await readFile(killed.log, 'utf8'),
    /the mortal ended with exit code 0\n.*was killed \(SIGKILL/,
  )
})

test('a service is stopped, by force when it does not listen', async () => {
  const port = await freePort()
  const service = await startService({
    name: 'stubborn',
    command: process.execPath,
    args: [
      '-e',
      `process.on('SIGTERM', () => {}); require('net').createServer().listen(${port}, '127.0.0.1')`,
    ],
    logs: state.logs,
    cwd: directory,
  })
  const reachable = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
  await untilReady(service, reachable, 60_000)
  await service.stop(200)
  assert.equal(await reachable(), false)
})

test('a content hash changes with a name or a content, and with nothing else', async () => {
  const tree = await mkdtemp(path.join(directory, 'tree-'))
  await writeFile(path.join(tree, 'a'), '1')
  const first = contentHash(tree, ['.'])
  await chmod(path.join(tree, 'a'), 0o600)
  await writeFile(path.join(tree, 'x.test.ts'), 'tests do not go into what is built')
  assert.equal(contentHash(tree, ['.']), first)
  await writeFile(path.join(tree, 'a'), '2')
  assert.notEqual(contentHash(tree, ['.']), first)
})
