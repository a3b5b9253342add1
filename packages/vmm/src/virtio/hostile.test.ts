/**
 * A driver that does anything at all, with a fixed seed: random registers, random configuration space, random
 * rings over real memory. Whatever it does, nothing is thrown at the thread that serves every device, nothing
 * leaks, and after a reset an honest driver is served.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { rawDiskBackend } from '../disk/open.ts'
import { RawDisk } from '../disk/raw.ts'
import { openRawFile } from '../disk/raw-file.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import { PasstBackend } from '../net/passt.ts'
import { PCI } from '../pci/registers.ts'
import * as libc from '../sys/libc.ts'
import { BlockDevice } from './block.ts'
import type { VirtioDevice } from './device.ts'
import { NetDevice } from './net.ts'
import { RngDevice } from './rng.ts'
import { seeded, type TestDescriptor, type TestQueue } from './testing/driver.ts'
import { TestMachine } from './testing/machine.ts'
import { COMMON, PciDriver } from './testing/pci-driver.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-hostile-'))
after(() => fs.rmSync(folder, { recursive: true }))
const DISK_BYTES = 256 * 1024
const ROUNDS = 300
const HEADER = 0x10_0000
const DATA = 0x18_0000
const openFds = () => fs.readdirSync('/proc/self/fd').length

function diskFile(name: string): string {
  const file = path.join(folder, name)
  fs.writeFileSync(file, new Uint8Array(DISK_BYTES).fill(7))
  return file
}

/** The other end of the wire answers nothing and never reads. */
function deafWire(): number {
  const pair = new Int32Array(2)
  libc.check('socketpair', libc.socketpair(1, 1 | 0o4000, 0, pair))
  after(() => libc.close(pair[1]!))
  return pair[0]!
}

const devices: [string, () => VirtioDevice][] = [
  [
    'block, best backend',
    () =>
      new BlockDevice(rawDiskBackend(openRawFile(diskFile('a'), { readOnly: false })), {
        readOnly: false,
        serial: 'x',
      }),
  ],
  [
    'block, blocking',
    () =>
      new BlockDevice(new RawDisk(openRawFile(diskFile('b'), { readOnly: false })), {
        readOnly: false,
        serial: '',
      }),
  ],
  ['net', () => new NetDevice(new PasstBackend(deafWire()), { mac: [2, 0, 0, 0, 0, 1] })],
  ['rng', () => new RngDevice()],
]

for (const [name, make] of devices) {
  test(`${name}: ${ROUNDS} rounds of hostility`, () => {
    const random = seeded(name.length * 7919)
    const machine = new TestMachine(4 << 20)
    const device = make()
    const before = openFds()
    const driver = new PciDriver(machine, device)
    const failures = new Set<string>()
    let negotiated = 0
    let served = 0
    for (let round = 0; round < ROUNDS; round++) {
      machine.memory.fill(0x10_000, 0x10_000, 0)
      const ringSize = 2 << random(4)
      if (driver.negotiate(driver.offered() & ~(BigInt(random(2)) << 28n))) negotiated++
      if (random(2) === 0) driver.enableMsix()
      driver.setUpQueues(ringSize)
      driver.status |= 4
      for (let step = 0; step < 20; step++) hostileStep(driver, random)
      for (let i = 0; i < 3; i++) machine.loop.runOnce(0)
      for (const queue of driver.queues) served += queue.usedIndex
      // Back to where a driver finds its registers, as a machine reset does.
      driver.bus.reset()
      for (const message of driver.messages.splice(0))
        failures.add(message.replaceAll(/0x[0-9a-f]+|\d+/g, 'n'))
    }
    assert.equal(negotiated, ROUNDS)
    assert.ok(served > ROUNDS / 2, `only ${served} chains came back`)
    assert.ok(failures.size >= 5, `only ${failures.size} kinds of trouble were met`)
    for (const failure of failures) assert.match(failure, /waits for a reset/)

    driver.start(driver.offered())
    assert.equal(driver.status, 15)
    driver.bus.close()
    assert.equal(machine.mmio.ranges.size, 0)
    assert.equal(machine.notifies.size, 0)
    // The device's own descriptors were open before the count.
    assert.ok(openFds() <= before)
    machine.loop.runOnce(0)
    machine.close()
  })
}

function hostileStep(driver: PciDriver, random: (below: number) => number): void {
  const { machine, queues } = driver
  const { memory } = machine
  const queue = queues[random(queues.length)]
  switch (random(8)) {
    case 0: {
      // Any register at any width.
      const at = driver.pciRead(PCI.BAR0 + 16, 4) + random(0x4000)
      const size = 1 << random(3)
      machine.mmio.write(at, size, random(2) === 0 ? random(256) : random(2 ** 32))
      machine.mmio.read(at, size)
      break
    }
    case 1:
      driver.pciWrite(random(256) & ~3, 4, random(2 ** 32))
      break
    case 2:
      driver.setCommon(COMMON.QUEUE_SELECT, 2, random(4))
      driver.setCommon(COMMON.QUEUE_DESC + 4 * random(6), 4, random(2 ** 32))
      driver.setCommon(COMMON.QUEUE_ENABLE, 2, 1)
      break
    case 3:
      driver.status = random(256)
      break
    default: {
      if (queue === undefined) break
      if (random(4) !== 0) fairChain(queue, memory, random)
      else wildTable(queue, random)
      const address = [...machine.notifies.keys()][random(2)]
      if (address !== undefined) machine.ring(address)
      machine.loop.runOnce(0)
    }
  }
}

/** The right shape around arbitrary contents: what a bug in a driver looks like. */
function fairChain(queue: TestQueue, memory: GuestMemory, random: (below: number) => number): void {
  memory.writeU32(HEADER, [0, 1, 4, 8, 11, 13, 99][random(7)]!)
  memory.writeU32(HEADER + 8, random(600))
  memory.writeU32(HEADER + 12, random(9) === 0 ? random(2 ** 32) : 0)
  const length = () => [1, 16, 512, 1024, 4096, 70_000][random(6)]!
  const parts: TestDescriptor[] = [{ address: HEADER, length: 16 }]
  if (random(2) === 0) parts.push({ address: HEADER + random(0x2000), length: length() })
  if (random(2) === 0) parts.push({ address: DATA + random(0x2000), length: length(), writable: true })
  parts.push({ address: DATA, length: 1 + random(20), writable: true })
  queue.add(parts.slice(random(12) === 0 ? 1 : 0, queue.size))
}

/** A descriptor table and an available ring of chance. */
function wildTable(queue: TestQueue, random: (below: number) => number): void {
  for (let i = 0; i < queue.size; i++) {
    const address = random(8) === 0 ? random(2 ** 32) : DATA + random(0x1000)
    const length = random(8) === 0 ? random(2 ** 32) : [1, 16, 512, 4096][random(4)]!
    queue.put(i, address, length, random(8), random(queue.size + (random(9) === 0 ? 1 : 0)))
  }
  for (let i = random(queue.size + 1); i > 0; i--) queue.offer(random(queue.size))
  if (random(20) === 0) queue.setAvailableIndex(random(65536))
}
