/** A VM's screen through the portal: who may look, who may type, and the small picture for lists. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import WebSocket from 'ws'
import { codeFrom, createRunning, type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'
import type { VmView } from '../views/vm.ts'

let portal: TestPortal
let ada: Person
let vera: Person
let vm: VmView
const tab = 'abcdefgh12345678'

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  const { id } = await portal.db.project.findFirstOrThrow()
  vera = await portal.addPerson('Vera', { [id]: 'viewer' })
  const { vm: made, action } = await ada.trpc.vm.create.mutate({
    ...tinyVm('shown'),
    display: { keyboard: 'de' },
  })
  portal.agent.setVm(made.vmUid, { state: 'running', display: true })
  portal.agent.finish(action.id)
  vm = await until('the VM to run', async () => {
    const now = await ada.trpc.vm.get.query({ id: made.id })
    return now.state === 'running' && now.hasScreen ? now : null
  })
})
after(() => portal.stop())

async function open(person: Person): Promise<WebSocket> {
  const { url } = await person.trpc.console.openDisplay.mutate({ vmId: vm.id, tab })
  return new WebSocket(`${portal.url.replace('http', 'ws')}${url}`, { headers: { origin: portal.url } })
}

test('the screen of a VM is what it was created with; without one none is opened', async () => {
  assert.deepEqual(vm.display, { keyboard: 'de' })
  assert.deepEqual(vm.can.screen, { ok: true, why: null })
  const plain = await createRunning(portal, ada, 'plain')
  assert.equal(plain.display, null)
  assert.match(plain.can.screen.why ?? '', /has no screen/)
  const refused = ada.trpc.console.openDisplay.mutate({ vmId: plain.id, tab })
  assert.equal(await codeFrom(refused), 'invalid_state')
})

test('bytes and notices go both ways; a member may type, a viewer may look; ids are told apart', async () => {
  const queries: URLSearchParams[] = []
  portal.agent.onDisplay = (socket, query) => {
    queries.push(query)
    socket.on('message', (data, binary) => socket.send(data, { binary }))
  }
  const [one, two, again] = [await open(ada), await open(vera), await open(ada)]
  const heard: [string, boolean][] = []
  one.on('message', (data, binary) => heard.push([String(data), binary]))
  await until('it to be open', () => one.readyState === WebSocket.OPEN)
  one.send(Buffer.from('RFB 003.008\n'))
  one.send('{"type":"figures"}')
  await until('the echo', () => heard.length === 2)
  assert.deepEqual(heard, [
    ['RFB 003.008\n', true],
    ['{"type":"figures"}', false],
  ])
  await until('all three', () => queries.length === 3)
  const [a, v, b] = queries.map((query) => ({ ...Object.fromEntries(query) }))
  assert.deepEqual([a!.name, a!.input], ['Ada', '1'])
  assert.deepEqual([v!.name, v!.input], ['Vera', '0'])
  assert.equal(a!.id, b!.id, 'the same page takes its own place again')
  assert.notEqual(a!.id, v!.id, 'and nobody else’s, whatever it calls itself')
  for (const viewer of [one, two, again]) viewer.terminate()
})

test('a ticket of the one kind opens nothing of the other', async () => {
  const { url } = await ada.trpc.console.openDisplay.mutate({ vmId: vm.id, tab })
  const serial = new WebSocket(`${portal.url.replace('http', 'ws')}${url.replace('/display', '/serial')}`, {
    headers: { origin: portal.url },
  })
  assert.equal((await once(serial, 'close'))[0], 4401)
  // Nor does one that was rewritten by whoever has it.
  const rewritten = (await vera.trpc.console.openDisplay.mutate({ vmId: vm.id, tab })).url.replace(
    'view-',
    'input-',
  )
  const forged = new WebSocket(`${portal.url.replace('http', 'ws')}${rewritten}`, {
    headers: { origin: portal.url },
  })
  assert.equal((await once(forged, 'close'))[0], 4401)
})

test('who may no longer look loses the screen', async () => {
  portal.agent.onDisplay = (socket) => socket.send(Buffer.from('x'))
  const viewer = await open(vera)
  const closed = once(viewer, 'close')
  await once(viewer, 'message')
  await portal.db.membership.deleteMany({ where: { user: { name: 'Vera' } } })
  portal.started.portal.changes.publish('people')
  assert.equal((await closed)[0], 4401)
  assert.equal(await codeFrom(vera.trpc.console.openDisplay.mutate({ vmId: vm.id, tab })), 'not_found')
})

test('a small picture for whoever may see the VM, again only when it changed', async () => {
  const picture = (cookie: string, headers: Record<string, string> = {}) =>
    fetch(`${portal.url}/console/${vm.id}/screen.jpg?width=200`, { headers: { cookie, ...headers } })
  assert.equal((await picture(ada.cookie)).status, 404, 'there is none yet')
  portal.agent.screenPicture = Buffer.from('jpeg')
  const first = await picture(ada.cookie)
  assert.equal(first.headers.get('content-type'), 'image/jpeg')
  assert.equal(await first.text(), 'jpeg')
  const etag = first.headers.get('etag') ?? ''
  assert.equal((await picture(ada.cookie, { 'if-none-match': etag })).status, 304)
  assert.equal((await picture('')).status, 401)
  assert.equal((await picture(vera.cookie)).status, 404)
  portal.agent.screenPicture = 'busy'
  assert.equal((await picture(ada.cookie)).status, 503, 'what was seen last stays')
})
