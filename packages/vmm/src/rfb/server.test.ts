import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { constants, deflateSync, inflateSync } from 'node:zlib'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from '../display/surface.ts'
import type { InputSink } from './input-router.ts'
import { ENCODING, PSEUDO } from './protocol.ts'
import { RfbServer } from './server.ts'
import { TestClient } from './testing/client.ts'
import { anyRect, blank, Random, scribble, type TestPicture } from './testing/pictures.ts'

/** A screen, its server, and what reached the guest. */
class Bench {
  readonly surface = new Surface(createSurfaceMemory())
  readonly events: string[] = []
  readonly texts: string[] = []
  readonly sink: InputSink = {
    key: (code, down) => this.events.push(`${down ? '+' : '-'}${code.toString(16)}`),
    keysym: (sym, down) => this.events.push(`${down ? '+' : '-'}sym${sym.toString(16)}`),
    pointer: (x, y, buttons) => this.events.push(`@${x},${y}:${buttons}`),
    wheel: (v, h) => this.events.push(`wheel ${v},${h}`),
  }
  readonly server: RfbServer
  /** Keeps the test's thread alive while only waitAsync is pending, as sockets do for the real one. */
  private readonly alive = setInterval(() => {}, 60_000)

  constructor(t: TestContext, width = 200, height = 100) {
    this.surface.resize(width, height)
    this.server = new RfbServer({
      surface: this.surface,
      name: 'näme',
      input: this.sink,
      clipboard: (text) => this.texts.push(text),
      resize: (w, h) => this.surface.setWish(w, h),
    })
    t.after(() => {
      this.server.close()
      clearInterval(this.alive)
    })
  }

  async viewer(...encodings: number[]): Promise<TestClient> {
    const client = this.raw()
    await client.connect()
    client.setEncodings(...encodings)
    return client
  }

  raw(viewOnly = false): TestClient {
    const [ours, theirs] = duplexPair()
    this.server.attach(ours, { id: `v${this.server.list().length}`, viewOnly })
    return new TestClient(theirs)
  }

  show(picture: TestPicture, x: number, y: number, width: number, height: number): void {
    for (let row = y; row < y + height; row++) {
      const from = row * picture.stride + x
      this.surface.pixels.set(picture.pixels.subarray(from, from + width), row * SURFACE_STRIDE + x)
    }
    this.surface.damage(x, y, width, height)
  }
}

const same = (client: TestClient, picture: TestPicture): boolean =>
  Buffer.compare(
    Buffer.from(client.picture.pixels.buffer),
    Buffer.from(picture.pixels.buffer as ArrayBuffer),
  ) === 0

for (const [name, encoding] of Object.entries({
  raw: ENCODING.RAW,
  zrle: ENCODING.ZRLE,
  tight: ENCODING.TIGHT,
})) {
  test(`${name}: a viewer ends with the guest's picture, whatever is drawn in between`, async (t) => {
    const bench = new Bench(t, 331, 203)
    const picture = blank(331, 203)
    const random = new Random(42)
    const client = await bench.viewer(encoding)
    client.request(false)
    for (let round = 0; round < 40; round++) {
      const rect = anyRect(random, 331, 203)
      scribble(picture, random, rect.x, rect.y, rect.width, rect.height)
      bench.show(picture, rect.x, rect.y, rect.width, rect.height)
      const before = client.updates
      await client.until(() => client.updates > before)
      client.request()
    }
    await client.until(() => same(client, picture))
    assert.deepEqual([...client.encodings], [encoding])
  })
}

test('scrolling goes as CopyRect, and a viewer that missed a step is not told to copy what it lacks', async (t) => {
  const [width, height] = [400, 300]
  const bench = new Bench(t, width, height)
  const picture = blank(width, height)
  const random = new Random(77)
  const encodings = [ENCODING.ZRLE, ENCODING.COPY_RECT]
  const [quick, slow] = [await bench.viewer(...encodings), await bench.viewer(...encodings)]
  scribble(picture, random, 0, 0, width, height)
  for (let i = 0; i < picture.pixels.length; i++) picture.pixels[i] = random.below(7) * 0x1f3a55
  bench.show(picture, 0, 0, width, height)
  for (const client of [quick, slow]) {
    client.request(false)
    await client.until(() => same(client, picture))
  }
  for (let round = 0; round < 24; round++) {
    const lines = 1 + random.below(40)
    const [x, w] = round % 3 === 0 ? [0, width] : [37, 300]
    for (let y = 0; y < height; y++) {
      const at = y * width + x
      if (y + lines < height) picture.pixels.copyWithin(at, at + lines * width, at + lines * width + w)
      else for (let i = 0; i < w; i++) picture.pixels[at + i] = random.below(0x1000000)
    }
    bench.show(picture, x, 0, w, height)
    quick.request()
    if (round % 4 === 3) slow.request()
    await quick.until(() => same(quick, picture))
    if (round % 4 === 3) await slow.until(() => same(slow, picture))
  }
  assert.ok(quick.encodings.has(ENCODING.COPY_RECT))
})

test('the handshake of 3.3, 3.7 and versions nobody knows', async (t) => {
  const bench = new Bench(t)
  for (const [version, answer, security, result] of [
    ['RFB 003.003\n', '00000001', false, false],
    ['RFB 003.889\n', '00000001', false, false],
    ['RFB 003.007\n', '0101', true, false],
    ['RFB 003.008\n', '0101', true, true],
  ] as const) {
    const client = bench.raw()
    await client.take(12)
    client.send(Buffer.from(version))
    assert.equal((await client.take(answer.length / 2)).toString('hex'), answer, version)
    if (security) client.send(Uint8Array.of(1))
    if (result) assert.equal((await client.take(4)).readUInt32BE(0), 0)
    client.send(Uint8Array.of(0))
    await client.init()
    assert.equal(client.name, 'näme')
    assert.deepEqual([client.picture.width, client.picture.height], [200, 100])
    client.close()
  }
})

test('an unchanged picture sends nothing, also when it is drawn again', async (t) => {
  const bench = new Bench(t)
  const client = await bench.viewer(ENCODING.TIGHT)
  client.request(false)
  await client.until(() => client.updates === 1)
  client.request()
  bench.surface.damage(0, 0, 200, 100)
  // A fence is answered after everything before it: whatever an update would have been, it came earlier.
  const bytes = client.bytes
  await roundTrips(client, 3)
  assert.equal(client.updates, 1)
  assert.equal(client.bytes - bytes, 3 * 10)
})

/** Asks the server for an answer, several times in turn. */
async function roundTrips(client: TestClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const before = client.messages.length
    client.fence(0x8000_0000, Uint8Array.of(i))
    await client.until(() => client.messages.length > before)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a fence comes back with its payload and the flags that were honoured', async (t) => {
  const bench = new Bench(t)
  const client = await bench.viewer()
  client.fence(0x8000_0007, Uint8Array.of(9, 8, 7))
  await client.until(() => client.messages.length === 1)
  assert.equal(Buffer.from(client.messages[0]!).toString('hex'), 'f8000000' + '00000003' + '03' + '090807')
})

test('continuous updates: no requests, and an end that is said', async (t) => {
  const bench = new Bench(t)
  const picture = blank(200, 100)
  const client = await bench.viewer(ENCODING.ZRLE, PSEUDO.CONTINUOUS_UPDATES, PSEUDO.FENCE)
  await client.until(() => client.messages.some((m) => m[0] === 150))
  client.continuousUpdates()
  const random = new Random(3)
  for (let i = 0; i < 10; i++) {
    scribble(picture, random, 0, 0, 200, 100)
    bench.show(picture, 0, 0, 200, 100)
    await client.until(() => same(client, picture))
  }
  client.messages.length = 0
  client.continuousUpdates(false)
  await client.until(() => client.messages.some((m) => m[0] === 150))
  const before = client.updates
  bench.surface.damage(0, 0, 10, 10)
  await roundTrips(client, 3)
  assert.equal(client.updates, before)
})

test('a viewer that does not answer gets fewer frames, then the newest; others are not held up', async (t) => {
  const bench = new Bench(t)
  const picture = blank(200, 100)
  const encodings = [ENCODING.TIGHT, PSEUDO.CONTINUOUS_UPDATES, PSEUDO.FENCE]
  const [quick, slow] = [await bench.viewer(...encodings), await bench.viewer(...encodings)]
  quick.continuousUpdates()
  slow.continuousUpdates()
  const random = new Random(4)
  await slow.until(() => slow.updates > 0)
  slow.answerFences = false
  for (let i = 0; i < 20; i++) {
    scribble(picture, random, 0, 0, 200, 100)
    bench.show(picture, 0, 0, 200, 100)
    await quick.until(() => same(quick, picture))
  }
  assert.ok(quick.updates >= 20)
  assert.ok(slow.updates < 20, `${slow.updates} updates`)
  assert.ok(!same(slow, picture))
  const missed = slow.updates
  slow.answerFences = true
  for (const fence of slow.fences) slow.fence(fence[7]! & 3, fence.subarray(9))
  await slow.until(() => same(slow, picture))
  assert.ok(slow.updates <= missed + 2, 'no frame of the past is made up for')
})

test('a viewer that does not read is not written to without bound', async (t) => {
  const bench = new Bench(t, 1000, 1000)
  const picture = blank(1000, 1000)
  const random = new Random(5)
  const [ours, theirs] = duplexPair()
  bench.server.attach(ours, { id: 'stuck' })
  const client = new TestClient(theirs)
  await client.connect()
  client.setEncodings(ENCODING.RAW, PSEUDO.CONTINUOUS_UPDATES)
  client.continuousUpdates()
  await client.until(() => client.updates > 0)
  theirs.pause()
  const other = await bench.viewer(ENCODING.ZRLE)
  for (let i = 0; i < 10; i++) {
    for (let p = 0; p < picture.pixels.length; p++) picture.pixels[p] = random.below(0x1000000)
    bench.show(picture, 0, 0, 1000, 1000)
    other.request()
    await other.until(() => same(other, picture))
    assert.ok(ours.writableLength < 9_000_000, `${ours.writableLength} bytes wait`)
  }
  theirs.resume()
  await client.until(() => same(client, picture))
})

test('size: told at first, changed by the guest, wished by the viewer', async (t) => {
  const bench = new Bench(t)
  const client = await bench.viewer(ENCODING.ZRLE, PSEUDO.EXTENDED_DESKTOP_SIZE)
  const sizes = (): string[] =>
    client.pseudo
      .filter((p) => p.encoding === PSEUDO.EXTENDED_DESKTOP_SIZE)
      .map((p) => `${p.x}/${p.y} ${p.width}×${p.height}`)
  client.request()
  await client.until(() => client.updates === 1)
  assert.deepEqual(sizes(), ['0/0 200×100'])
  assert.equal(
    Buffer.from(client.pseudo[0]!.data).toString('hex'),
    '01000000' + '00000000' + '00000000' + '00c80064' + '00000000',
  )
  client.setDesktopSize(640, 480)
  client.request()
  await client.until(() => sizes().length === 2)
  assert.equal(sizes()[1], '1/4 200×100', 'forwarded to the guest')
  assert.deepEqual(bench.surface.takeWish(), { width: 640, height: 480 })
  bench.surface.resize(640, 480)
  client.request()
  await client.until(() => sizes().length === 3)
  assert.equal(sizes()[2], '0/0 640×480')
  const picture = blank(640, 480)
  scribble(picture, new Random(1), 0, 0, 640, 480)
  bench.show(picture, 0, 0, 640, 480)
  client.request()
  await client.until(() => same(client, picture))
  client.setDesktopSize(0, 480)
  client.request()
  await client.until(() => sizes().length === 4)
  assert.equal(sizes()[3], '1/3 640×480', 'invalid layout')
})

test('DesktopSize for viewers that know only that, and nothing beyond the old size for those that know neither', async (t) => {
  const bench = new Bench(t)
  const [simple, fixed] = [
    await bench.viewer(ENCODING.ZRLE, PSEUDO.DESKTOP_SIZE),
    await bench.viewer(ENCODING.RAW),
  ]
  bench.surface.resize(300, 150)
  const picture = blank(300, 150)
  scribble(picture, new Random(1), 0, 0, 300, 150)
  bench.show(picture, 0, 0, 300, 150)
  simple.request()
  await simple.until(() => simple.updates === 1)
  simple.request()
  await simple.until(() => same(simple, picture))
  fixed.request()
  await fixed.until(() => fixed.updates === 1)
  for (let y = 0; y < 100; y++) {
    assert.deepEqual(
      fixed.picture.pixels.subarray(y * 200, y * 200 + 200),
      picture.pixels.subarray(y * 300, y * 300 + 200),
    )
  }
})

test('keys: scancodes and keysyms, and none left down when a viewer goes', async (t) => {
  const bench = new Bench(t)
  const client = await bench.viewer(PSEUDO.QEMU_EXTENDED_KEY_EVENT)
  client.request()
  await client.until(() => client.pseudo.some((p) => p.encoding === PSEUDO.QEMU_EXTENDED_KEY_EVENT))
  client.key(0x61, true, 0x1e)
  client.key(0x61, true, 0x1e)
  client.key(0x61, false, 0x1e)
  client.key(0x62, false, 0x30)
  client.key(0xffe3, true, 0x9d)
  client.key(0xe4, true)
  client.pointer(199, 50, 1)
  await roundTrips(client, 1)
  assert.deepEqual(bench.events, ['+1e', '-1e', '+9d', '+syme4', `@32767,${Math.round((50 * 32767) / 99)}:1`])
  bench.events.length = 0
  client.close()
  await until(() => bench.server.list().length === 0)
  assert.deepEqual(bench.events, ['-9d', '-syme4', `@32767,${Math.round((50 * 32767) / 99)}:0`])
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('two viewers hold one key: it is up when both let go', async (t) => {
  const bench = new Bench(t)
  const [one, two] = [await bench.viewer(), await bench.viewer()]
  one.key(0, true, 0x2a)
  await roundTrips(one, 1)
  two.key(0, true, 0x2a)
  await roundTrips(two, 1)
  one.key(0, false, 0x2a)
  await roundTrips(one, 1)
  assert.deepEqual(bench.events, ['+2a'])
  two.close()
  await until(() => bench.events.length === 2)
  assert.deepEqual(bench.events, ['+2a', '-2a'])
})

test('the wheel turns by clicks, with the buttons left alone', async (t) => {
  const bench = new Bench(t)
  const client = await bench.viewer()
  for (const mask of [0, 8, 0, 8, 24, 0, 32, 64]) client.pointer(0, 0, mask)
  await roundTrips(client, 1)
  assert.deepEqual(
    bench.events.filter((e) => e.startsWith('wheel')),
    ['wheel 1,0', 'wheel 1,0', 'wheel -1,0', 'wheel 0,-1', 'wheel 0,1'],
  )
  assert.ok(bench.events.filter((e) => e.startsWith('@')).every((e) => e === '@0,0:0'))
})

test('a view-only viewer sees and does nothing else', async (t) => {
  const bench = new Bench(t)
  const watcher = bench.raw(true)
  await watcher.connect()
  watcher.setEncodings(ENCODING.ZRLE, PSEUDO.EXTENDED_DESKTOP_SIZE)
  watcher.key(0, true, 0x1e)
  watcher.pointer(1, 1, 1)
  watcher.send(Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 1, 0x41))
  watcher.setDesktopSize(640, 480)
  watcher.request()
  await watcher.until(() => watcher.pseudo.length >= 1)
  assert.deepEqual([watcher.pseudo[0]!.x, watcher.pseudo[0]!.y], [1, 1], 'prohibited')
  assert.deepEqual(bench.events, [])
  assert.deepEqual(bench.texts, [])
  assert.equal(bench.surface.takeWish(), null)
})

test('cursor: the best shape a viewer knows, cut to what is seen', async (t) => {
  const bench = new Bench(t)
  const image = new Uint32Array(64 * 64)
  // Half transparent red at 10,20 (premultiplied), opaque blue at 11,20; hot spot on the first.
  image[20 * 64 + 10] = 0x80800000
  image[20 * 64 + 11] = 0xff0000ff
  bench.surface.setCursor(image, 10, 20)
  for (const [encoding, expected] of [
    [PSEUDO.CURSOR_WITH_ALPHA, '00000000' + '80000080' + '0000ffff'],
    [PSEUDO.VMWARE_CURSOR, '0100' + 'ff000080' + '0000ffff'],
    [PSEUDO.CURSOR, 'ff000000' + '0000ff00' + 'c0'],
  ] as const) {
    const client = await bench.viewer(encoding, PSEUDO.CURSOR)
    client.request()
    await client.until(() => client.pseudo.length === 1)
    const [cursor] = client.pseudo
    assert.equal(cursor!.encoding, encoding)
    assert.deepEqual([cursor!.x, cursor!.y, cursor!.width, cursor!.height], [0, 0, 2, 1])
    assert.equal(Buffer.from(cursor!.data).toString('hex'), expected)
    bench.surface.setCursor(null, 0, 0)
    client.request()
    await client.until(() => client.pseudo.length === 2)
    assert.deepEqual([client.pseudo[1]!.width, client.pseudo[1]!.height], [0, 0])
    bench.surface.setCursor(image, 10, 20)
    client.close()
  }
})

test('the pointer’s place is told to those who do not steer it', async (t) => {
  const bench = new Bench(t)
  bench.surface.setCursor(new Uint32Array(64 * 64).fill(0xffffffff), 0, 0)
  const [one, two] = [await bench.viewer(PSEUDO.POINTER_POS), await bench.viewer(PSEUDO.POINTER_POS)]
  for (const client of [one, two]) {
    client.request(false)
    await client.until(() => client.updates === 1)
    client.request()
  }
  one.pointer(30, 40, 0)
  await roundTrips(one, 1)
  bench.surface.moveCursor(30, 40)
  await two.until(() => two.pseudo.length === 1)
  assert.deepEqual([two.pseudo[0]!.x, two.pseudo[0]!.y], [30, 40])
  await roundTrips(one, 2)
  assert.equal(one.pseudo.length, 0)
})

test('LEDs and the desktop’s name', async (t) => {
  const bench = new Bench(t)
  bench.surface.setLeds(2)
  const client = await bench.viewer(PSEUDO.QEMU_LED_STATE, PSEUDO.DESKTOP_NAME)
  client.request()
  await client.until(() => client.pseudo.length === 1)
  assert.deepEqual([...client.pseudo[0]!.data], [4], 'evdev’s Caps Lock is bit 2 here')
  bench.server.rename('new')
  client.request()
  await client.until(() => client.pseudo.length === 2)
  assert.equal(Buffer.from(client.pseudo[1]!.data.subarray(4)).toString(), 'new')
})

test('clipboard: Latin-1 without the extension, by asking with it', async (t) => {
  const bench = new Bench(t)
  const old = await bench.viewer()
  old.send(Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 2, 0x41, 0xe4))
  await roundTrips(old, 1)
  assert.deepEqual(bench.texts, ['Aä'])
  bench.server.offerClipboard('ü')
  await old.until(() => old.messages.some((m) => m[0] === 3))
  assert.equal(
    Buffer.from(old.messages.find((m) => m[0] === 3)!).toString('hex'),
    '03000000' + '00000001' + 'fc',
  )
  old.close()

  const client = await bench.viewer(PSEUDO.EXTENDED_CLIPBOARD)
  const cut = (): Buffer[] => client.messages.filter((m) => m[0] === 3).map((m) => Buffer.from(m.subarray(8)))
  await client.until(() => cut().length === 1)
  assert.equal(cut()[0]!.toString('hex'), '1f000001' + '00000000', 'capabilities')
  const send = (flags: number, data = Buffer.alloc(0)): void => {
    const head = Buffer.alloc(12)
    head[0] = 6
    head.writeInt32BE(-(4 + data.length), 4)
    head.writeUInt32BE(flags, 8)
    client.send(Buffer.concat([head, data]))
  }
  // The guest copies: notify, the viewer requests, the text comes.
  bench.server.offerClipboard('日本\n')
  await client.until(() => cut().length === 2)
  assert.equal(cut()[1]!.toString('hex'), '08000001')
  send(0x02000001)
  await client.until(() => cut().length === 3)
  const text = inflateSync(cut()[2]!.subarray(4))
  assert.equal(text.readUInt32BE(0), text.length - 4)
  assert.equal(text.toString('utf8', 4), '日本\r\n\0')
  // The viewer copies: notify, we request, the text comes.
  send(0x08000001)
  await client.until(() => cut().length === 4)
  assert.equal(cut()[3]!.toString('hex'), '02000001')
  const body = Buffer.from('????a\r\nbä\0', 'utf8')
  body.writeUInt32BE(body.length - 4, 0)
  send(0x10000001, deflateSync(body, { finishFlush: constants.Z_SYNC_FLUSH }))
  await roundTrips(client, 1)
  assert.equal(bench.texts[1], 'a\nbä')
  // Something that unpacks to more than anyone copies closes the viewer, not us.
  send(0x10000001, deflateSync(Buffer.alloc(64 * 1024 * 1024)))
  await assert.rejects(
    client.until(() => false),
    /closed/,
  )
  assert.equal(bench.server.faults.get('bad-clipboard'), 1)
})

test('what no viewer may send closes that viewer, is counted, and disturbs nobody', async (t) => {
  const bench = new Bench(t)
  const picture = blank(200, 100)
  const witness = await bench.viewer(ENCODING.ZRLE)
  const bad: Record<string, number[]> = {
    'unknown-message': [77],
    'unknown-qemu-message': [255, 9],
    'bad-pixel-format': [0, 0, 0, 0, 24, ...Array(15).fill(0)],
    'fence-too-long': [248, 0, 0, 0, 0, 0, 0, 0, 65],
    'too-many-encodings': [2, 0, 0xff, 0xff],
    'cut-text-too-long': [6, 0, 0, 0, 0x70, 0, 0, 0],
    'bad-clipboard': [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe],
  }
  for (const [fault, bytes] of Object.entries(bad)) {
    const client = await bench.viewer()
    client.send(Uint8Array.from(bytes))
    await assert.rejects(
      client.until(() => false),
      /closed/,
      fault,
    )
    assert.equal(bench.server.faults.get(fault), 1, fault)
  }
  for (const [fault, bytes] of [
    ['bad-version', Buffer.from('GET / HTTP/1')],
    ['bad-security-type', Buffer.from('RFB 003.008\n\x02')],
  ] as const) {
    const client = bench.raw()
    client.send(bytes)
    await assert.rejects(
      client.until(() => false),
      /closed/,
    )
    assert.equal(bench.server.faults.get(fault), 1)
  }
  scribble(picture, new Random(8), 0, 0, 200, 100)
  bench.show(picture, 0, 0, 200, 100)
  witness.request()
  await witness.until(() => same(witness, picture))
  assert.equal(bench.server.list().length, 1)
})

test('fuzz: random messages, cut at random places, never get past their own viewer', async (t) => {
  const bench = new Bench(t)
  const random = new Random(0xf022)
  const types = [0, 2, 3, 4, 5, 6, 150, 248, 251, 255]
  const picture = blank(200, 100)
  const witness = await bench.viewer(ENCODING.TIGHT)
  for (let round = 0; round < 300; round++) {
    const [ours, theirs] = duplexPair()
    bench.server.attach(ours, { id: `fuzz${round}` })
    theirs.on('error', () => {})
    theirs.resume()
    const parts: number[] = [...Buffer.from('RFB 003.008\n\x01\x01', 'latin1')]
    for (let i = random.below(12); i >= 0; i--) {
      parts.push(types[random.below(types.length)]!)
      const sane = random.below(2) === 0
      for (let n = random.below(24); n > 0; n--) parts.push(sane ? random.below(3) : random.below(256))
    }
    const bytes = Uint8Array.from(parts)
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random.below(bytes.length))
      theirs.write(bytes.subarray(at, end))
      at = end
      if (random.below(4) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setImmediate(resolve))
    theirs.destroy()
  }
  await until(() => bench.server.list().length === 1)
  assert.equal(bench.server.faults.get('internal'), undefined)
  assert.ok([...bench.server.faults.values()].reduce((a, b) => a + b) > 100)
  scribble(picture, random, 0, 0, 200, 100)
  bench.show(picture, 0, 0, 200, 100)
  witness.request()
  await witness.until(() => same(witness, picture))
})
