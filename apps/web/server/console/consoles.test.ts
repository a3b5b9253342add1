import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import WebSocket from 'ws'
import { codeFrom, createRunning, newKey, type Person, TestPortal, until } from '../testing/test-portal.ts'
import type { VmView } from '../views/vm.ts'
import { highWater } from './console-pipe.ts'

let portal: TestPortal
let ada: Person
let vm: VmView

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  vm = await createRunning(portal, ada, 'talkative')
})
after(() => portal.stop())

interface Viewer {
  socket: WebSocket
  text: string
  notices: { notice: string; message: string }[]
  closed: Promise<number>
}

function view(url: string, origin = portal.url): Viewer {
  const socket = new WebSocket(`${portal.url.replace('http', 'ws')}${url}`, { headers: { origin } })
  const viewer: Viewer = {
    socket,
    text: '',
    notices: [],
    closed: new Promise((resolve) => socket.once('close', resolve)),
  }
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => {
    if (isBinary) viewer.text += String(data)
    else viewer.notices.push(JSON.parse(String(data)) as Viewer['notices'][number])
  })
  return viewer
}

const open = async (person = ada) => view((await person.trpc.console.open.mutate({ vmId: vm.id })).url)

/** The host's end: echoes what is typed, after a greeting. */
function echo(): void {
  portal.agent.onSerial = (socket) => {
    socket.send(JSON.stringify({ notice: 'connected', message: 'Connected.' }))
    socket.send(Buffer.from('login: '))
    socket.on('message', (data) => socket.send(data, { binary: true }))
  }
}

test('a console carries bytes both ways and notices, and is in the activity', async () => {
  echo()
  const viewer = await open()
  await once(viewer.socket, 'open')
  // Typed before the host's end is there: nothing is lost.
  viewer.socket.send(Buffer.from('root\r'))
  await until('the echo', () => viewer.text === 'login: root\r')
  assert.deepEqual(viewer.notices, [{ notice: 'connected', message: 'Connected.' }])
  viewer.socket.close()
  await viewer.closed
  const { items } = await ada.trpc.activity.list.query({ vmId: vm.id, limit: 5 })
  assert.equal(items[0]?.kind, 'vm.console')
})

test('a ticket works once, for its VM, within its time', async () => {
  echo()
  const { url } = await ada.trpc.console.open.mutate({ vmId: vm.id })
  const both = [view(url), view(url)]
  await until('one to be refused', () => both.some(({ notices }) => notices[0]?.notice === 'ended'))
  await until('one to work', () => both.some(({ text }) => text === 'login: '))
  const refused = both.find(({ notices }) => notices[0]?.notice === 'ended')!
  assert.equal(await refused.closed, 4401)
  for (const { socket } of both) socket.close()

  const other = await createRunning(portal, ada, 'someone-else')
  const fresh = await ada.trpc.console.open.mutate({ vmId: vm.id })
  assert.equal(await view(fresh.url.replace(`/${vm.id}/`, `/${other.id}/`)).closed, 4401)

  const late = await ada.trpc.console.open.mutate({ vmId: vm.id })
  await portal.db.consoleTicket.updateMany({ data: { expiresAt: new Date(Date.now() - 1) } })
  assert.equal(await view(late.url).closed, 4401)
  assert.equal(await view(`/console/${vm.id}/serial?ticket=guess`).closed, 4401)
  assert.equal(await view(`/console/${vm.id}/serial`).closed, 4401)
  // Only hashes are kept.
  assert.ok(!JSON.stringify(await portal.db.consoleTicket.findMany()).includes(late.ticket))
})

test('a page of another origin cannot use a ticket', async () => {
  const { url } = await ada.trpc.console.open.mutate({ vmId: vm.id })
  const viewer = view(url, 'http://evil.example')
  assert.equal(await viewer.closed, 1006)
  assert.equal(
    await portal.db.consoleTicket.count({ where: { usedAt: null, expiresAt: { gt: new Date() } } }),
    1,
  )
})

test('a viewer that does not read never makes the portal hold its output', async () => {
  let sent = 0
  let hostSocket: WebSocket | undefined
  portal.agent.onSerial = (socket) => {
    hostSocket = socket
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const pump = () => {
      // As the agent does: sends while the other side takes it.
      while (socket.readyState === socket.OPEN && socket.bufferedAmount < 1024 * 1024 && sent < 4000) {
        socket.send(chunk)
        sent++
      }
      if (sent < 4000 && socket.readyState === socket.OPEN) setTimeout(pump, 5)
    }
    pump()
  }
  const viewer = await open()
  let received = 0
  viewer.socket.removeAllListeners('message')
  viewer.socket.on('message', (data: Buffer) => {
    received += data.length
  })
  await once(viewer.socket, 'open')
  viewer.socket.pause()
  const before = process.memoryUsage().arrayBuffers
  // It stands still when kernel buffers and the portal's bounded one are full: the count stops growing.
  let last = -1
  await until('the flow to stop', async () => {
    const steady = sent === last && sent > 0
    last = sent
    await new Promise((resolve) => setTimeout(resolve, 200))
    return steady && sent === last
  })
  assert.ok(sent < 4000, `${sent} chunks of 64 KiB went out`)
  const held = process.memoryUsage().arrayBuffers - before
  assert.ok(held < 64 * highWater, `${held} bytes`)
  viewer.socket.resume()
  await until('everything to arrive', () => received === 4000 * 64 * 1024, 60_000)
  viewer.socket.close()
  await viewer.closed
  await until('the host’s end to be closed', () => hostSocket?.readyState === WebSocket.CLOSED)
})

test('input is held back too when the host does not take it', async () => {
  let hostSocket: WebSocket | undefined
  portal.agent.onSerial = (socket) => {
    hostSocket = socket
    socket.pause()
  }
  const viewer = await open()
  await once(viewer.socket, 'open')
  const chunk = Buffer.alloc(32 * 1024, 'y')
  let written = 0
  await until('the viewer to be held back', async () => {
    while (viewer.socket.bufferedAmount < 512 * 1024 && written < 4000) {
      viewer.socket.send(chunk)
      written++
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    return viewer.socket.bufferedAmount >= 512 * 1024
  })
  assert.ok(written < 4000)
  let received = 0
  hostSocket!.on('message', (data: Buffer) => {
    received += data.length
  })
  hostSocket!.resume()
  await until('everything to arrive', () => received === written * chunk.length, 60_000)
  viewer.socket.close()
})

test('a stopped VM: its last output, then the host’s own close code', async () => {
  portal.agent.onSerial = (socket) => {
    socket.send(Buffer.from('last words'))
    socket.send(JSON.stringify({ notice: 'not_running', message: 'Not running.' }))
    socket.close(4409)
  }
  const viewer = await open()
  assert.equal(await viewer.closed, 4409)
  assert.equal(viewer.text, 'last words')
  assert.equal(viewer.notices[0]?.notice, 'not_running')
})

test('signing out closes the consoles of that session, and only those', async () => {
  echo()
  const other = await portal.signIn()
  const mine = await open()
  const theirs = await open(other)
  await until('both', () => mine.text !== '' && theirs.text !== '')
  await portal.post('/api/auth/sign-out', {}, { cookie: other.cookie })
  assert.equal(await theirs.closed, 4401)
  assert.equal(mine.socket.readyState, WebSocket.OPEN)
  mine.socket.close()
})

test('a session that ends in the database (revoked elsewhere) closes its consoles, too', async () => {
  echo()
  const other = await portal.signIn()
  const viewer = await open(other)
  await until('it to be open', () => viewer.text !== '')
  const ticket = await portal.db.consoleTicket.findFirstOrThrow({ orderBy: { id: 'desc' } })
  await portal.db.session.delete({ where: { id: ticket.sessionId } })
  assert.equal(await viewer.closed, 4401)
})

test('a host that goes away ends the console with its own code; opening another one says why not', async () => {
  echo()
  const viewer = await open()
  await until('it to be open', () => viewer.text !== '')
  const { url } = await ada.trpc.console.open.mutate({ vmId: vm.id })
  await portal.agent.stop()
  assert.equal(await viewer.closed, 4503)
  assert.match(viewer.notices.at(-1)?.message ?? '', /host is away/)
  await portal.untilAway()
  const second = view(url)
  assert.equal(await second.closed, 4503)
  assert.match(second.notices[0]?.message ?? '', /host is away/)
  assert.equal(await codeFrom(ada.trpc.console.open.mutate({ vmId: vm.id })), 'host_unavailable')
  await portal.agent.start()
  await portal.untilOnline()
})

test('deleting the VM closes its consoles', async () => {
  echo()
  const viewer = await open()
  await until('it to be open', () => viewer.text !== '')
  const { action } = await ada.trpc.vm.delete.mutate({
    id: vm.id,
    confirmName: vm.name,
    idempotencyKey: newKey(),
  })
  portal.agent.vms.delete(vm.vmUid)
  portal.agent.emit({ type: 'vm_removed', vmUid: vm.vmUid })
  portal.agent.finish(action.id)
  assert.equal(await viewer.closed, 4404)
})
