import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import {
  type VmmEvent,
  type VmmStatus,
  vmmEventSchema,
  vmmMethods,
  vmmReplySchema,
} from '@hearth/shared/vmm-control'
import { ControlClient } from './client.ts'
import { parseRequest } from './messages.ts'
import { type ControlHandler, ControlServer } from './server.ts'

const status: VmmStatus = {
  state: 'running',
  pid: 1,
  cpus: 2,
  memoryBytes: 3,
  startedAt: 4,
  resets: 0,
  panicked: false,
  serialViewers: 0,
}

async function serve(t: TestContext, handler: ControlHandler = async () => status) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'control-'))
  const file = path.join(folder, 'control')
  const server = await ControlServer.listen(file, handler)
  t.after(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })
  return { server, file, folder }
}

/** A client that speaks raw lines. */
function raw(t: TestContext, file: string) {
  const socket = connect(file)
  t.after(() => socket.destroy())
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  return {
    socket,
    send: (line: string) => socket.write(`${line}\n`),
    next: async () => JSON.parse((await lines.next()).value as string),
    over: async () => (await lines.next()).done,
  }
}

test('every method of the contract is known, and only those', () => {
  for (const method of vmmMethods) {
    assert.deepEqual(parseRequest(`{"id":1,"method":"${method}","params":{"a":1}}`), {
      ok: true,
      request: { id: 1, method, params: { a: 1 } },
    })
  }
  const refused = (line: string) => {
    const parsed = parseRequest(line)
    assert.equal(parsed.ok, false, line)
    return parsed.ok ? undefined : [parsed.id, parsed.error]
  }
  assert.deepEqual(refused('{'), [0, 'this is not a line of JSON'])
  assert.deepEqual(refused('null'), [0, 'a request is an object'])
  assert.deepEqual(refused('{"method":"quit"}'), [0, 'a request has an integer id'])
  assert.deepEqual(refused('{"id":1.5,"method":"quit"}'), [0, 'a request has an integer id'])
  assert.deepEqual(refused('{"id":1,"method":"quit","params":[]}'), [1, 'params is an object'])
  for (const method of ['"constructor"', '"toString"', '["quit"]', '3', '""']) {
    assert.match(String(refused(`{"id":3,"method":${method}}`)), /^3,there is no such method/)
  }
})

test('replies and events have the form the contract gives them', async (t) => {
  const { server, file } = await serve(t, async (method) => {
    if (method === 'reset') throw new Error('the VM is starting: try again when it runs')
    return method === 'status' ? status : undefined
  })
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const client = raw(t, file)
  client.send('{"id":5,"method":"status"}')
  assert.deepEqual(vmmReplySchema.parse(await client.next()), { id: 5, ok: true, result: status })
  client.send('{"id":6,"method":"quit"}')
  assert.deepEqual(vmmReplySchema.parse(await client.next()), { id: 6, ok: true, result: null })
  client.send('{"id":7,"method":"reset"}')
  assert.equal(vmmReplySchema.parse(await client.next()).ok, false)
  const events: VmmEvent[] = [
    { event: 'state', status },
    { event: 'panic' },
    { event: 'reset', reason: 'x' },
    { event: 'exit', code: 10, reason: 'y' },
  ]
  for (const event of events) {
    server.broadcast(event)
    assert.deepEqual(vmmEventSchema.parse(await client.next()), event)
  }
})

test('an endless line is answered and cut off; other clients go on', async (t) => {
  const { file } = await serve(t)
  const other = raw(t, file)
  const endless = raw(t, file)
  endless.socket.write('x'.repeat(70_000))
  assert.match((await endless.next()).error, /at most 65536/)
  assert.equal(await endless.over(), true)
  other.send('{"id":1,"method":"status"}')
  assert.equal((await other.next()).ok, true)
})

test('a client that does not read is dropped', async (t) => {
  const { server, file } = await serve(t)
  const deaf = connect(file).pause()
  t.after(() => deaf.destroy())
  await new Promise((resolve) => deaf.once('connect', resolve))
  const dropped = new Promise((resolve) => deaf.once('close', resolve))
  const reason = 'z'.repeat(50_000)
  for (let i = 0; i < 100; i++) {
    server.broadcast({ event: 'reset', reason })
    await new Promise((resolve) => setImmediate(resolve))
  }
  deaf.resume()
  await dropped
  const alive = raw(t, file)
  alive.send('{"id":1,"method":"status"}')
  assert.equal((await alive.next()).ok, true)
})

test('the client: requests, refusals, events, and an end that leaves no request open', async (t) => {
  const never = new Promise(() => {})
  const { server, file } = await serve(t, async (method) => {
    if (method === 'pause') throw new Error('not now')
    if (method === 'resume') return never
    return status
  })
  const events: VmmEvent[] = []
  const closed = Promise.withResolvers<void>()
  const client = await ControlClient.connect(file, {
    event: (event) => events.push(event),
    closed: closed.resolve,
  })
  assert.deepEqual(await client.status(), status)
  await assert.rejects(client.request('pause'), /not now/)
  await assert.rejects(client.request('resume', 20), /did not answer "resume" within 20 ms/)
  server.broadcast({ event: 'panic' })
  await client.status()
  assert.deepEqual(events, [{ event: 'panic' }])
  const open = client.request('resume')
  const rejected = assert.rejects(open, /connection closed/)
  await server.close()
  await rejected
  await closed.promise
  await assert.rejects(client.request('status'), /connection closed/)
  await assert.rejects(ControlClient.connect(file), /ENOENT/)
})

test('a socket left behind is replaced; one in use, and any other file, is refused', async (t) => {
  const { file, folder } = await serve(t)
  await assert.rejects(
    ControlServer.listen(file, async () => null),
    /another process uses this socket/,
  )
  const plain = path.join(folder, 'file')
  writeFileSync(plain, '')
  await assert.rejects(
    ControlServer.listen(plain, async () => null),
    /not a socket/,
  )
  await assert.rejects(
    ControlServer.listen(path.join(folder, 'no', 'x'), async () => null),
    /its folder/,
  )
  const stale = path.join(folder, 'stale')
  await new Promise<void>((resolve) => {
    const server = createServer().listen({ path: stale }, () => {
      // Closing the handle beneath leaves the file, as a killed process does.
      ;(server as unknown as { _handle: { close(): void } })._handle.close()
      resolve()
    })
  })
  const again = await ControlServer.listen(stale, async () => null)
  await again.close()
})
