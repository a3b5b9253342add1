/** The program itself, as npm start runs it. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import https from 'node:https'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import WebSocket from 'ws'
import { z } from 'zod'

const program = fileURLToPath(new URL('main.ts', import.meta.url))
const readySchema = z.object({ ready: z.literal(true), url: z.string(), setupUrl: z.string().nullable() })

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-main-'))
  await writeFile(path.join(folder, 'token'), 'token\n')
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function run(t: TestContext, folder: string, args: string[], more: { uid?: number } = {}) {
  const child = spawn(
    process.execPath,
    [
      ...[program, '--no-pages', '--state', path.join(folder, 'state')],
      ...['--agent-url', 'ws://127.0.0.1:9', '--agent-token-file', path.join(folder, 'token'), ...args],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], ...more },
  )
  t.after(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += String(text)
  })
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, errors }))
  return { child, ended }
}

async function ready(started: ReturnType<typeof run>) {
  const first = once(started.child.stdout, 'data').then(([line]) => String(line))
  const line = await Promise.race([
    first,
    started.ended.then(({ errors }) => assert.fail(`it ended: ${errors}`)),
  ])
  return readySchema.parse(JSON.parse(line))
}

test('it says where it is, with a set-up link, and ends on SIGTERM with 0', async (t) => {
  const folder = await newFolder(t)
  const started = run(t, folder, ['--port', '0'])
  const { url, setupUrl } = await ready(started)
  assert.match(setupUrl ?? '', /\/setup#token=\S{43}$/)
  assert.equal(await (await fetch(`${url}/healthz`)).text(), 'ok\n')
  const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc`, { headers: { origin: url } })
  await once(socket, 'open')
  started.child.kill('SIGTERM')
  await once(socket, 'close')
  assert.equal((await started.ended).code, 0)
})

test('a port that is taken: one sentence and an exit code', async (t) => {
  const folder = await newFolder(t)
  const taken = net.createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as net.AddressInfo
  const { code, errors } = await run(t, folder, ['--port', String(port)]).ended
  assert.equal(code, 1)
  assert.match(errors.trimEnd().split('\n').at(-1)!, new RegExp(`^Port ${port} on 127.0.0.1 is taken`))
})

test('a damaged database, a state folder of somebody else, a bad option: a sentence each', async (t) => {
  const folder = await newFolder(t)
  await mkdir(path.join(folder, 'state', 'portal'), { recursive: true })
  await writeFile(path.join(folder, 'state', 'portal', 'hearth.db'), 'shopping list\n'.repeat(500))
  const last = async (started: ReturnType<typeof run>) => {
    const { code, errors } = await started.ended
    assert.equal(code, 1)
    return errors.trimEnd().split('\n').at(-1)!
  }
  assert.match(await last(run(t, folder, ['--port', '0'])), /hearth\.db is damaged/)
  assert.match(await last(run(t, folder, ['--port', '70000'])), /70000 is not a port/)
  const { errors } = await run(t, folder, ['--colour', 'red']).ended
  assert.match(errors, /colour/)
  if (process.getuid?.() === 0) {
    const other = await newFolder(t)
    await chmod(other, 0o755)
    await chmod(path.join(other, 'token'), 0o644)
    assert.match(
      await last(run(t, other, ['--port', '0'], { uid: 65_534 })),
      /cannot be written by this user/,
    )
  }
})

test('with TLS: https under its name only by that certificate, the authority to download', async (t) => {
  const folder = await newFolder(t)
  const file = (name: string) => path.join(folder, name)
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=hearth.test', '-addext', 'subjectAltName=DNS:hearth.test,IP:127.0.0.1'],
      ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
    ],
    { stdio: 'ignore' },
  )
  const started = run(t, folder, [
    ...['--port', '0', '--hostname', 'hearth.test'],
    ...['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem'), '--ca', file('cert.pem')],
  ])
  const { url } = await ready(started)
  assert.match(url, /^https:\/\/hearth\.test:\d+$/)
  const ca = await readFile(file('cert.pem'))
  const port = Number(new URL(url).port)
  const get = (where: string, host = `hearth.test:${port}`) =>
    new Promise<{ status: number; body: string; type: string }>((resolve, reject) => {
      const options = {
        ca,
        host: '127.0.0.1',
        port,
        servername: 'hearth.test',
        path: where,
        headers: { host },
      }
      https
        .get(options, (response) => {
          let body = ''
          response.on('data', (text) => {
            body += String(text)
          })
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              body,
              type: response.headers['content-type'] ?? '',
            }),
          )
        })
        .on('error', reject)
    })
  const authority = await get('/ca.crt')
  assert.equal(authority.type, 'application/x-x509-ca-cert')
  assert.equal(authority.body, ca.toString())
  assert.equal((await get('/healthz', 'other.test')).status, 421)
  assert.equal((await get('/healthz', `127.0.0.1:${port}`)).status, 200)
})
