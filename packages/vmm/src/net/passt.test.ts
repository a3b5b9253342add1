import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import * as libc from '../sys/libc.ts'
import { NetDevice } from '../virtio/net.ts'
import { NET_F } from '../virtio/net-config.ts'
import { seeded } from '../virtio/testing/driver.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciDriver } from '../virtio/testing/pci-driver.ts'
import { connectPasst } from './connect.ts'
import { NetError } from './net-error.ts'
import { PasstBackend } from './passt.ts'
import { NetDriver } from './testing/net-driver.ts'
import { arpRequest } from './testing/packets.ts'

const MAC = [0x02, 0, 0, 0, 0, 0x42]
const SOCK_STREAM_NONBLOCK = 1 | 0o4000
const cleanups: (() => void)[] = []
after(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

function card(fd: number, borrowed = false, bufferBytes = 2048) {
  const machine = new TestMachine()
  const log: string[] = []
  const device = new NetDevice([new PasstBackend(fd, { borrowed })], {
    mac: MAC,
    log: (line) => log.push(line),
  })
  const driver = new PciDriver(machine, device)
  driver.start(driver.offered())
  let open = true
  const close = () => {
    if (!open) return
    open = false
    driver.bus.close()
    machine.close()
  }
  cleanups.push(close)
  return { machine, device, driver, log, close, net: new NetDriver(driver, bufferBytes) }
}

/** A card whose other end of the stream is the test's. */
function setUp(bufferBytes?: number) {
  const pair = new Int32Array(2)
  libc.check('socketpair', libc.socketpair(1, SOCK_STREAM_NONBLOCK, 0, pair))
  let peer: number | undefined = pair[1]!
  const hangUp = () => {
    if (peer !== undefined) libc.close(peer)
    peer = undefined
  }
  cleanups.push(hangUp)
  const write = (bytes: Uint8Array) =>
    assert.equal(libc.check('write', libc.write(peer!, bytes, bytes.length)), bytes.length)
  /** Everything the card sent and the test has not read. */
  const read = (limit = 1 << 20): Buffer => {
    const buffer = Buffer.alloc(limit)
    let done = 0
    while (done < limit) {
      const count = libc.read(peer!, buffer.subarray(done), limit - done)
      if (count <= 0) break
      done += count
    }
    return buffer.subarray(0, done)
  }
  return { ...card(pair[0]!, false, bufferBytes), fd: pair[0]!, write, read, hangUp }
}

const framed = (frame: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(frame.length)
  return Buffer.concat([length, frame])
}
const pattern = (length: number, seed: number) => new Uint8Array(length).map((_, i) => (i * 31 + seed) & 0xff)

test('frames go out behind their length and without the header', () => {
  const { machine, net, read, device } = setUp()
  net.queue(pattern(60, 1))
  net.queue(pattern(1514, 2))
  net.send(pattern(65000, 3))
  machine.until('three packets to go', () => device.counters.txPackets === 3)
  assert.deepEqual(
    read(),
    Buffer.concat([framed(pattern(60, 1)), framed(pattern(1514, 2)), framed(pattern(65000, 3))]),
  )
})

test('frames come in however the stream cuts them, with a zero header', () => {
  const { machine, net, write, device, driver } = setUp()
  machine.memory.fill(0x20_0000, 0x10_0000, 0xee)
  net.offer(128)
  const frames = [pattern(60, 4), pattern(1514, 5), pattern(9000, 6), pattern(42, 7)]
  const stream = Buffer.concat(frames.map(framed))
  const random = seeded(5)
  for (let at = 0; at < stream.length; ) {
    const count = Math.min(stream.length - at, 1 + random(3) * random(800))
    write(stream.subarray(at, at + count))
    at += count
    machine.loop.runOnce(0)
  }
  machine.until('all frames', () => device.counters.rxPackets === frames.length)
  assert.deepEqual(net.received(), frames)
  assert.deepEqual(net.bufferCounts, [1, 1, 5, 1])
  assert.deepEqual([...machine.memory.bytes(0x20_0000, 10)], new Array(10).fill(0))
  assert.equal(driver.offered() & (NET_F.CSUM | NET_F.GUEST_CSUM), 0n)
})

test('a peer that stops reading stops the ring, and nothing is lost or doubled when it goes on', () => {
  const { machine, net, read, device, driver } = setUp()
  const queue = driver.queues[1]!
  const frames = Array.from({ length: 14 }, (_, i) => pattern(60_000 + i, i))
  for (const frame of frames) net.queue(frame)
  driver.kick(1)
  machine.loop.runOnce(10)
  machine.loop.runOnce(10)
  assert.ok(queue.usedIndex < frames.length, 'the socket takes less than all of them')
  const chunks: Buffer[] = []
  machine.until('the rest to go', () => {
    chunks.push(read(50_000))
    return device.counters.txPackets === frames.length
  })
  chunks.push(read(4 << 20))
  machine.loop.runOnce(0)
  chunks.push(read(4 << 20))
  assert.ok(Buffer.concat(chunks).equals(Buffer.concat(frames.map(framed))))
  assert.equal(queue.usedIndex, frames.length)
})

test('a peer that hangs up, or breaks the framing, cuts the link once', () => {
  const hung = setUp()
  hung.net.offer(8)
  hung.machine.loop.runOnce(0)
  hung.hangUp()
  hung.machine.until('the link to go down', () => hung.driver.configRead(6, 2) === 0)
  assert.deepEqual(hung.log, ["net: passt closed the connection; the guest's link is down"])
  hung.net.send(pattern(60, 1))
  hung.machine.until('the drop', () => hung.device.counters.txDropped === 1)

  for (const length of [0, 0x7fff_ffff, 0xffff_ffff]) {
    const broken = setUp()
    broken.net.offer(8)
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(length)
    broken.write(bytes)
    broken.machine.until('the link to go down', () => broken.driver.configRead(6, 2) === 0)
    broken.machine.loop.runOnce(10)
    assert.equal(broken.log.length, 1)
    broken.driver.start(broken.driver.offered())
    assert.equal(broken.driver.configRead(6, 2), 0, 'it stays down over a reset')
  }
})

test('a reset in the middle of frames leaves the stream between two', () => {
  const { machine, net, write, read, driver, device } = setUp()
  net.offer(8)
  const half = framed(pattern(1000, 1))
  write(half.subarray(0, 500))
  machine.loop.runOnce(10)
  // The rest is on its way, as it is with a peer that writes whole frames.
  write(half.subarray(500))
  driver.status = 0
  driver.start(driver.offered())
  const again = new NetDriver(driver, 2048)
  again.offer(8)
  write(framed(pattern(70, 2)))
  machine.until('the frame after the reset', () => device.counters.rxPackets > 0)
  assert.deepEqual(again.received(), [pattern(70, 2)])
  again.send(pattern(80, 3))
  machine.until('the packet to go', () => device.counters.txPackets === 1)
  assert.deepEqual(read(), framed(pattern(80, 3)))
})

test('a borrowed socket stays open for the next machine, one taken over is closed', () => {
  const pair = new Int32Array(2)
  libc.check('socketpair', libc.socketpair(1, SOCK_STREAM_NONBLOCK, 0, pair))
  const isOpen = (fd: number) => fs.existsSync(`/proc/self/fd/${fd}`)
  card(pair[0]!, true).close()
  assert.equal(isOpen(pair[0]!), true)
  card(pair[0]!, false).close()
  assert.equal(isOpen(pair[0]!), false)
  libc.close(pair[1]!)
})

test('a socket that is not there is refused in a sentence', () => {
  assert.throws(() => connectPasst('/nonexistent/passt.sock'), /cannot reach passt at \/nonexistent/)
  assert.throws(() => connectPasst(''), /no path of a socket/)
  assert.throws(() => connectPasst(`/${'x'.repeat(108)}`), /no path of a socket/)
})

test("the real passt answers the guest's ARP request for its gateway", async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-passt-'))
  fs.chmodSync(folder, 0o777)
  const socketPath = path.join(folder, 'socket')
  // --config-net and addresses by hand: it must start on a machine without a default route as well.
  const passt = spawn(
    'passt',
    [
      '--foreground',
      '--quiet',
      '--one-off',
      '--socket',
      socketPath,
      '-a',
      '10.98.0.2',
      '-n',
      '24',
      '-g',
      '10.98.0.1',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  passt.stderr.on('data', (chunk) => {
    said += chunk
  })
  let ended: string | undefined
  passt.on('error', (error) => {
    ended = error.message
  })
  passt.on('exit', (code, signal) => {
    ended = `it ended with ${code ?? signal}: ${said}`
  })
  cleanups.push(() => {
    passt.kill()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  // Its socket is there a moment before it listens.
  let connected: number | undefined
  while (ended === undefined && connected === undefined) {
    await new Promise(setImmediate)
    try {
      connected = connectPasst(socketPath)
    } catch (error) {
      if (!(error instanceof NetError)) throw error
    }
  }
  if (connected === undefined) {
    t.skip(`passt cannot be started here: ${ended}`)
    return
  }
  const { machine, net, log } = card(connected)
  net.offer(32)
  net.send(arpRequest(MAC, [10, 98, 0, 2], [10, 98, 0, 1]))
  let reply: Uint8Array | undefined
  machine.until('the ARP reply', () => {
    reply ??= net.received().find((frame) => frame[12] === 8 && frame[13] === 6)
    return reply !== undefined || log.length > 0
  })
  assert.deepEqual(log, [])
  assert.deepEqual([...reply!.subarray(0, 6)], MAC)
  assert.deepEqual([...reply!.subarray(20, 22)], [0, 2], 'a reply')
  assert.deepEqual([...reply!.subarray(28, 32)], [10, 98, 0, 1])
})
