/** The bridge between real WebSockets and real unix sockets: no side's backlog grows without bound. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { highWater } from '../console/socket-pipe.ts'
import { until } from '../testing/agent-harness.ts'
import { SerialBridge } from './serial-bridge.ts'

async function setUp(onConnection: (socket: Socket) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-serial-'))
  const socketPath = join(folder, 's')
  const guest: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    onConnection(socket)
  })
  await new Promise<void>((resolve) => guest.listen(socketPath, resolve))
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const bridged: WebSocket[] = []
  let running = true
  server.on('connection', (client) => {
    bridged.push(client)
    new SerialBridge(client, {
      socketPath,
      logPath: join(folder, 'serial.log'),
      isRunning: () => running,
    }).start()
  })
  const address = server.address() as { port: number }
  return {
    folder,
    bridged,
    stopGuest: () => {
      running = false
    },
    viewer: () => new WebSocket(`ws://127.0.0.1:${address.port}`),
    async close() {
      for (const client of server.clients) client.terminate()
      server.close()
      guest.close()
      await rm(folder, { recursive: true })
    },
  }
}

test('a viewer that does not read stops the flow at the high water mark; it goes on when it reads', async (t) => {
  const chunk = Buffer.alloc(16 * 1024, 'x')
  let written = 0
  const setup = await setUp((socket) => {
    const flood = () => {
      while (!socket.destroyed) {
        written += chunk.length
        if (!socket.write(chunk)) break
      }
    }
    socket.on('drain', flood)
    flood()
  })
  t.after(() => setup.close())
  const viewer = setup.viewer()
  let received = 0
  viewer.on('message', (data: Buffer, isBinary) => {
    if (isBinary) received += data.length
  })
  await until('the first bytes', () => received > 0)
  viewer.pause()
  const [client] = setup.bridged
  await until('the backlog', () => client!.bufferedAmount > highWater)
  // Everything on the way fills up, and then nothing moves any more.
  let before = -1
  await until('the flow to stop', async () => {
    const still = before === written
    before = written
    await new Promise((resolve) => setTimeout(resolve, 100))
    return still
  })
  // One read of the unix socket (64 KiB) may pass the mark, and each frame has a few bytes of its own.
  assert.ok(client!.bufferedAmount < highWater + 2 * 64 * 1024, `backlog of ${client!.bufferedAmount} bytes`)
  const stalledAt = written
  viewer.resume()
  await until('the flow to go on', () => written > stalledAt + 4 * 1024 * 1024)
})

test('input waits while the guest does not take it, and arrives whole and in order', async (t) => {
  const taken: Buffer[] = []
  let guest: Socket | undefined
  const setup = await setUp((socket) => {
    guest = socket
    socket.pause()
    socket.on('data', (data: Buffer) => taken.push(data))
  })
  t.after(() => setup.close())
  const viewer = setup.viewer()
  await new Promise((resolve) => viewer.once('open', resolve))
  const input = Buffer.alloc(8 * 1024 * 1024)
  for (let index = 0; index < input.length; index++) input[index] = (index * 31) & 0xff
  for (let offset = 0; offset < input.length; offset += 32 * 1024)
    viewer.send(input.subarray(offset, offset + 32 * 1024))
  await until('the bridge to hold the viewer', () => guest && setup.bridged[0]!.isPaused)
  assert.ok(viewer.bufferedAmount > 0, 'what is not taken stays with the viewer')
  guest!.resume()
  await until('all input', () => taken.reduce((sum, data) => sum + data.length, 0) === input.length)
  assert.ok(Buffer.concat(taken).equals(input))
})

test('a viewer is told where the scrollback ends', async (t) => {
  const setup = await setUp((socket) => {
    socket.write('HEARTH {"scrollback":6}\n')
    socket.write('before')
    socket.write('after')
  })
  t.after(() => setup.close())
  const viewer = setup.viewer()
  let heard = ''
  viewer.on('message', (data: Buffer, isBinary) => {
    heard += isBinary ? data : `<${JSON.parse(String(data)).notice}>`
  })
  await until('all of it', () => heard === '<connected>before<live>after')
})

test('input sent before the guest listens is not lost, and a stopped VM shows its last output', async (t) => {
  const received: Buffer[] = []
  const setup = await setUp((socket) => socket.on('data', (data: Buffer) => received.push(data)))
  t.after(() => setup.close())
  const viewer = setup.viewer()
  viewer.once('open', () => viewer.send(Buffer.from('early')))
  await until('the early input', () => Buffer.concat(received).toString() === 'early')

  setup.stopGuest()
  await writeFile(join(setup.folder, 'serial.log.1'), `lost${'a'.repeat(256 * 1024 - 4)}`)
  await writeFile(join(setup.folder, 'serial.log'), 'last')
  const late = setup.viewer()
  let text = ''
  late.on('message', (data: Buffer, isBinary) => {
    if (isBinary) text += data.toString()
  })
  assert.equal(await new Promise((resolve) => late.once('close', resolve)), 4409)
  assert.equal(text.length, 256 * 1024)
  assert.ok(text.endsWith('alast') && text.startsWith('a'))
})
