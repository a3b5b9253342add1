import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { Uart } from '../chipset/uart.ts'
import { close } from '../sys/libc.ts'
import { SerialDrain } from './drain.ts'
import { gapMarker, SerialHub, type ViewerSink } from './hub.ts'
import { SerialLog } from './log-file.ts'
import { Scrollback } from './scrollback.ts'
import { SharedRing } from './shared-ring.ts'
import { SocketViewers } from './socket-viewers.ts'
import { EscapeKeys } from './terminal-viewer.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)
/** After everything already queued has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a shared ring: order kept over any mixture of sizes, full and empty told apart', () => {
  const buffer = new SharedArrayBuffer(SharedRing.byteLength(8))
  const ring = new SharedRing(buffer, 0, 8)
  const other = new SharedRing(buffer, 0, 8)
  let next = 0
  let expected = 0
  for (let round = 0; round < 1000; round++) {
    for (let i = 0; i < round % 9; i++) if (ring.push(next & 0xff)) next++
    assert.ok(other.length <= 8)
    const target = new Uint8Array(round % 5)
    const count = other.read(target)
    for (let i = 0; i < count; i++) assert.equal(target[i], expected++ & 0xff)
  }
  ring.clear()
  assert.equal(other.shift(), -1)
  for (let i = 0; i < 8; i++) assert.ok(ring.push(i))
  assert.equal(ring.push(9), false)
  assert.equal(other.shift(), 0)
  assert.throws(() => new SharedRing(buffer, 0, 6), RangeError)
})

test('a scrollback keeps the last bytes, addressed by their place in the stream', () => {
  const scrollback = new Scrollback(10)
  let all = ''
  for (const piece of ['abc', '', 'defghij', 'k', 'lmnopqrstuvwxyz0123456789', 'AB']) {
    scrollback.append(bytes(piece))
    all += piece
    assert.equal(scrollback.end, all.length)
    assert.equal(scrollback.start, Math.max(0, all.length - 10))
    assert.equal(text(scrollback.read(scrollback.start, 100)), all.slice(-10))
    assert.equal(text(scrollback.read(scrollback.end - 1, 100)), all.slice(-1))
  }
})

/** A viewer that collects, and can stop taking. */
function collector(): ViewerSink & { all: string; open: boolean } {
  return {
    all: '',
    open: true,
    write(chunk) {
      this.all += text(chunk)
      return this.open
    },
  }
}

test('every viewer gets the scrollback and what follows; one that falls behind sees a marked gap, the others do not', async () => {
  const hub = new SerialHub(100)
  hub.output(bytes('boot '))
  const fast = collector()
  const slow = collector()
  hub.attach(fast)
  const handle = hub.attach(slow)
  await settled()
  slow.open = false
  hub.output(bytes('one '))
  assert.equal(slow.all, 'boot one ')
  hub.output(bytes('two '))
  hub.output(bytes('x'.repeat(150)))
  assert.equal(slow.all, 'boot one ')
  assert.equal(handle.caughtUp, false)
  slow.open = true
  handle.resume()
  assert.equal(slow.all, `boot one ${text(gapMarker(54))}${'x'.repeat(100)}`)
  assert.equal(handle.caughtUp, true)
  assert.equal(fast.all, `boot one two ${text(gapMarker(50))}${'x'.repeat(100)}`)
  handle.detach()
  hub.output(bytes('later'))
  assert.ok(!slow.all.includes('later'))
  assert.equal(hub.viewerCount, 1)
})

test('input of several viewers stays in order and is held back until the port takes it', () => {
  const hub = new SerialHub(10)
  const done: string[] = []
  hub.send(bytes('abc'), () => done.push('first'))
  let room = 2
  let got = ''
  hub.setInput((input) => {
    const taken = Math.min(room, input.length)
    room -= taken
    got += text(input.subarray(0, taken))
    return taken
  })
  hub.send(bytes('def'), () => done.push('second'))
  assert.deepEqual([got, done], ['ab', []])
  room = 3
  hub.inputReady()
  assert.deepEqual([got, done], ['abcde', ['first']])
  // A reset: nobody takes input meanwhile, nothing is lost.
  hub.setInput(undefined)
  hub.inputReady()
  room = 9
  hub.setInput((input) => {
    got += text(input)
    return input.length
  })
  assert.deepEqual([got, done], ['abcdef', ['first', 'second']])
})

test('the log stays within its bound, with one predecessor, and nothing in between is lost', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'serial-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'serial.log')
  const log = new SerialLog(file, 1000)
  let all = ''
  for (let i = 0; i < 500; i++) {
    const line = `line ${i}\n`
    all += line
    log.append(bytes(line))
  }
  await log.flushed()
  log.append(bytes('end'))
  await log.flushed()
  log.close()
  all += 'end'
  assert.ok(statSync(file).size <= 1000)
  assert.equal(statSync(`${file}.1`).size, 1000)
  const kept = readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8')
  assert.equal(kept, all.slice(-kept.length))
  assert.equal(statSync(file).mode & 0o777, 0o600)
  // The next run goes on in the same file.
  const again = new SerialLog(file, 1000)
  again.append(bytes('!'))
  await again.flushed()
  again.close()
  assert.ok(readFileSync(file, 'utf8').endsWith('end!'))
  assert.throws(() => new SerialLog(path.join(folder, 'none', 'x')), /cannot be written \(ENOENT\)/)
})

test('a socket that says how much scrollback comes first, whatever is written meanwhile', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'serial-line-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'serial')
  const hub = new SerialHub(1000)
  const viewers = await SocketViewers.listen(file, hub, { scrollbackLine: true })
  hub.output(bytes(`lost${'x'.repeat(1000)}`))
  const viewer = connect(file)
  let got = ''
  viewer.on('data', (chunk) => {
    // Written when the scrollback is on its way: the number before it stays true.
    if (got === '') hub.output(bytes('now'))
    got += chunk
  })
  while (!got.endsWith('now')) await once(viewer, 'data')
  assert.equal(got, `HEARTH {"scrollback":1000}\n${'x'.repeat(1000)}now`)
  viewer.destroy()
  await viewers.close()
})

test('viewers on a socket: replay, live output, input, and a stuck one that hinders nobody', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'serial-socket-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'serial')
  const hub = new SerialHub(1 << 20)
  const viewers = await SocketViewers.listen(file, hub)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  hub.output(bytes('before '))
  const input = Promise.withResolvers<string>()
  hub.setInput((chunk) => {
    input.resolve(text(chunk))
    return chunk.length
  })
  const stuck = connect(file).pause()
  t.after(() => stuck.destroy())
  const viewer = connect(file)
  let got = ''
  const complete = new Promise<void>((resolve) => {
    viewer.on('data', (chunk) => {
      got += chunk.toString()
      if (got.endsWith('after')) resolve()
    })
  })
  viewer.write('typed')
  assert.equal(await input.promise, 'typed')
  const flood = 'y'.repeat(700_000)
  hub.output(bytes(flood))
  hub.output(bytes('after'))
  await complete
  assert.equal(got, `before ${flood}after`)
  assert.equal(hub.viewerCount, 2)
  const ended = new Promise((resolve) => viewer.once('close', resolve))
  await viewers.close()
  await ended
  assert.throws(() => statSync(file), /ENOENT/)
})

test('Ctrl-A x quits, Ctrl-A Ctrl-A is one Ctrl-A, also over separate reads', () => {
  const keys = new EscapeKeys()
  const type = (...typed: number[]) => {
    const { input, quit } = keys.filter(Uint8Array.from(typed))
    return [...input, quit]
  }
  assert.deepEqual(type(0x61, 1), [0x61, false])
  assert.deepEqual(type(1, 0x62), [1, 0x62, false])
  assert.deepEqual(type(1, 0x63), [1, 0x63, false])
  assert.deepEqual(type(0x64, 1), [0x64, false])
  assert.deepEqual(type(0x78, 0x65), [true])
})

test('a console is quiet when it has said something and then nothing for a while, once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const drain = new SerialDrain(new SerialHub())
  const waiting: string[] = []
  const port: Pick<Uart, 'offerInput' | 'takeOutput' | 'takeDropped'> = {
    offerInput: () => 0,
    takeOutput: (target) => new TextEncoder().encodeInto(waiting.shift() ?? '', target).written,
    takeDropped: () => 0,
  }
  const say = (text: string): void => {
    waiting.push(text)
    drain.connect(port as Uart)
    drain.disconnect()
  }
  let quiet = 0
  drain.whenQuiet(() => quiet++)
  t.mock.timers.tick(60_000)
  assert.equal(quiet, 0, 'nothing was said yet')
  for (let i = 0; i < 5; i++) {
    say('booting')
    t.mock.timers.tick(1000)
  }
  assert.equal(quiet, 0)
  t.mock.timers.tick(1000)
  assert.equal(quiet, 1)
  say('login: ')
  t.mock.timers.tick(60_000)
  assert.equal(quiet, 1)
  close(drain.attentionFd)
})
