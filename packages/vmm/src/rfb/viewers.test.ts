/** Who a viewer is, who may type, who takes over. */
import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from '../display/surface.ts'
import { RfbServer } from './server.ts'
import { TestClient } from './testing/client.ts'

class Bench {
  readonly surface = new Surface(createSurfaceMemory())
  readonly events: string[] = []
  changes = 0
  readonly server = new RfbServer({
    surface: this.surface,
    name: 'screen',
    input: {
      key: (code, down) => this.events.push(`${down ? '+' : '-'}${code}`),
      keysym() {},
      pointer() {},
      wheel() {},
    },
    viewersChanged: () => this.changes++,
  })
  private readonly alive = setInterval(() => {}, 60_000)

  constructor(t: TestContext) {
    this.surface.resize(64, 48)
    t.after(() => {
      this.server.close()
      clearInterval(this.alive)
    })
  }

  raw(introduction: string): TestClient {
    const [ours, theirs] = duplexPair()
    this.server.attach(ours, { id: 'socket' })
    const client = new TestClient(theirs)
    client.send(Buffer.from(introduction))
    return client
  }

  async viewer(id: string, input = true): Promise<TestClient> {
    const client = this.raw(`HEARTH ${JSON.stringify({ id, name: `Name of ${id}`, input })}\n`)
    await client.connect()
    return client
  }

  /** Types a key and waits until it was worked off. */
  async type(client: TestClient, code: number): Promise<void> {
    client.key(0, true, code)
    client.key(0, false, code)
    client.request(false)
    const before = client.updates
    await client.until(() => client.updates > before)
  }

  holders(): string {
    return this.server
      .introduced()
      .map(({ id, control }) => (control ? `[${id}]` : id))
      .join(' ')
  }
}

test('of several introduced viewers one types; another takes over, and held keys are let go', async (t) => {
  const bench = new Bench(t)
  const ada = await bench.viewer('ada')
  const ben = await bench.viewer('ben')
  const guest = await bench.viewer('guest', false)
  assert.equal(bench.holders(), '[ada] ben guest')
  await bench.type(ada, 30)
  await bench.type(ben, 31)
  await bench.type(guest, 32)
  assert.deepEqual(bench.events.splice(0), ['+30', '-30'])

  ada.key(0, true, 42)
  await bench.type(ada, 30)
  const before = bench.changes
  assert.equal(bench.server.setControl('ben', true), true)
  assert.ok(bench.changes > before)
  assert.deepEqual(bench.events.splice(0), ['+42', '+30', '-30', '-42'], 'shift does not stay down')
  await bench.type(ada, 30)
  await bench.type(ben, 31)
  assert.deepEqual(bench.events.splice(0), ['+31', '-31'])

  assert.equal(bench.server.setControl('guest', true), false, 'has no right to type')
  assert.equal(bench.server.setControl('nobody', true), false)
  assert.equal(bench.holders(), 'ada [ben] guest')
})

test('the place passes on when its holder leaves, but not to whoever gave it away', async (t) => {
  const bench = new Bench(t)
  const ada = await bench.viewer('ada')
  await bench.viewer('ben')
  const cleo = await bench.viewer('cleo')
  bench.server.setControl('ben', false)
  bench.server.setControl('ada', false)
  assert.equal(bench.holders(), 'ada ben [cleo]')
  cleo.close()
  await ada.until(() => true)
  while (bench.server.introduced().length > 2) await new Promise(setImmediate)
  assert.equal(bench.holders(), 'ada ben')
  await bench.type(ada, 30)
  assert.deepEqual(bench.events, [])
  assert.equal(bench.server.setControl('ada', true), true)
  await bench.type(ada, 30)
  assert.deepEqual(bench.events, ['+30', '-30'])
})

test('a viewer that comes again under its id takes its old connection’s place, with keyboard and pointer', async (t) => {
  const bench = new Bench(t)
  const old = await bench.viewer('ada')
  await bench.viewer('ben')
  await bench.viewer('ada')
  assert.equal(bench.holders(), 'ben [ada]')
  while (!old.closed) await new Promise(setImmediate)
  assert.equal(bench.server.closeViewer('ben'), true)
  assert.equal(bench.server.closeViewer('ben'), false)
  assert.equal(bench.holders(), '[ada]')
})

test('who was not introduced is the socket’s owner: may type, is not listed, takes nobody’s place', async (t) => {
  const bench = new Bench(t)
  await bench.viewer('ada')
  const owner = bench.raw('')
  await owner.connect()
  await bench.type(owner, 30)
  assert.deepEqual(bench.events, ['+30', '-30'])
  assert.equal(bench.holders(), '[ada]')
})

test('an introduction may come in pieces; a wrong one closes the connection and is counted', async (t) => {
  const bench = new Bench(t)
  const slow = bench.raw('HEA')
  slow.send(Buffer.from('RTH {"id":"slow","name":"","in'))
  slow.send(Buffer.from('put":true}\n'))
  await slow.connect()
  assert.equal(bench.holders(), '[slow]')
  const wrong = [
    'HALLO\n',
    'HEARTH \n',
    'HEARTH null\n',
    'HEARTH {"id":"","name":"x","input":true}\n',
    'HEARTH {"id":"x","name":"x","input":"yes"}\n',
    `HEARTH {"id":"${'x'.repeat(65)}","name":"x","input":true}\n`,
    `HEARTH ${'x'.repeat(2000)}`,
  ]
  for (const line of wrong) {
    const client = bench.raw(line)
    while (!client.closed) await new Promise(setImmediate)
  }
  assert.equal(bench.server.faults.get('bad-introduction'), wrong.length)
  await bench.type(slow, 30)
})

test('a small picture: averaged, and its version changes with the guest’s', async (t) => {
  const bench = new Bench(t)
  bench.surface.pixels.fill(0xff0000, 0, 64)
  bench.surface.damage(0, 0, 64, 1)
  const first = bench.server.screenshot(32)
  assert.deepEqual([first.width, first.height], [32, 24])
  const jpeg = Buffer.from(first.jpeg, 'base64')
  assert.equal(jpeg.readUInt16BE(0), 0xffd8)
  assert.equal(bench.server.screenshot(32).version, first.version)
  assert.deepEqual(bench.server.screenshot(5000).width, 64, 'never enlarged')
  bench.surface.pixels[10 * SURFACE_STRIDE + 10] = 0x00ff00
  bench.surface.damage(10, 10, 1, 1)
  assert.notEqual(bench.server.screenshot(32).version, first.version)
})
