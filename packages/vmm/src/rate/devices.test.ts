/** Disk and network under limits, by a clock that only the test moves. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { blockingDisk } from '../disk/testing/blocking-disk.ts'
import { PasstBackend } from '../net/passt.ts'
import { NetDriver } from '../net/testing/net-driver.ts'
import * as libc from '../sys/libc.ts'
import { BlockDevice } from '../virtio/block.ts'
import { NetDevice } from '../virtio/net.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciDriver } from '../virtio/testing/pci-driver.ts'
import { RateLimiter } from './token-bucket.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rate-'))
after(() => fs.rmSync(folder, { recursive: true }))
const SOCK_NONBLOCK = 0o4000

/** Lets the device look at its clock several times. */
const turns = (machine: TestMachine): void => {
  for (let i = 0; i < 5; i++) machine.loop.runOnce(1)
}

for (const [what, limit, atOnce, thenMs] of [
  ['operations', { operationsPerSecond: 100 }, 100, 10],
  // 50 reads of 512 bytes a second.
  ['bytes', { bytesPerSecond: 50 * 512 }, 50, 20],
] as const) {
  test(`a disk limited by ${what} serves the burst at once and then the rate, and nothing is lost`, () => {
    const file = path.join(folder, what)
    fs.writeFileSync(file, Buffer.alloc(4096))
    let now = 0
    const machine = new TestMachine()
    const device = new BlockDevice(blockingDisk(file, { readOnly: false }), {
      readOnly: false,
      serial: 'x',
      limiter: new RateLimiter(limit, () => now),
    })
    const driver = new PciDriver(machine, device)
    driver.start(driver.offered() & ~(1n << 29n))
    const queue = driver.queues[0]!
    machine.memory.fill(driver.data, 16, 0)
    // A ring has room for 85 requests of three descriptors.
    let asked = 0
    const ask = (count: number): void => {
      for (; asked < count; asked++) {
        queue.add([
          { address: driver.data, length: 16 },
          { address: driver.data + 4096, length: 512, writable: true },
          { address: driver.data + 16, length: 1, writable: true },
        ])
      }
      driver.kick(0)
    }
    while (asked < atOnce) {
      ask(Math.min(atOnce, asked + 40))
      machine.until('the burst', () => queue.usedIndex === asked)
    }
    ask(atOnce + 3)
    turns(machine)
    assert.equal(queue.usedIndex, atOnce)
    for (let more = 1; more <= 3; more++) {
      now += thenMs
      machine.until('the next', () => queue.usedIndex === atOnce + more)
      turns(machine)
      assert.equal(queue.usedIndex, atOnce + more)
    }
    assert.equal(device.counters.errors, 0)
    driver.bus.close()
    machine.close()
  })
}

test('a network limited in both directions', () => {
  let now = 0
  const machine = new TestMachine()
  const pair = new Int32Array(2)
  libc.check('socketpair', libc.socketpair(1, 1 | SOCK_NONBLOCK, 0, pair))
  const limiter = (): RateLimiter => new RateLimiter({ operationsPerSecond: 4 }, () => now)
  const device = new NetDevice([new PasstBackend(pair[0]!)], {
    mac: [2, 0, 0, 0, 0, 1],
    txLimiter: limiter(),
    rxLimiter: limiter(),
  })
  const driver = new PciDriver(machine, device)
  driver.start(driver.offered() & ~(1n << 29n))
  const net = new NetDriver(driver, 2048)
  net.offer(32)
  const frame = new Uint8Array(60).fill(7)
  // passt's framing: the length, big endian, before each frame.
  const framed = Uint8Array.of(0, 0, 0, 60, ...frame)
  for (let i = 0; i < 7; i++) {
    net.send(frame)
    assert.equal(libc.write(pair[1]!, framed, framed.length), framed.length)
  }
  const counts = (): [number, number] => [device.counters.txPackets, device.counters.rxPackets]
  machine.until('the burst', () => counts().every((count) => count >= 4))
  turns(machine)
  assert.deepEqual(counts(), [4, 4])
  for (let more = 5; more <= 7; more++) {
    now += 250
    machine.until('one more each way', () => counts().every((count) => count >= more))
    turns(machine)
    assert.deepEqual(counts(), [more, more])
  }
  assert.equal(net.received().length, 7)
  driver.bus.close()
  libc.close(pair[1]!)
  machine.close()
})
