/**
 * What no driver may put into a ring, into the rings of every device there is: the device stops with one counted error
 * and waits for its reset, the one beside it goes on, and after the reset an honest driver is served.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { virtioRecipes } from '../fuzz/targets/virtio.ts'
import { STATUS, VIRTQ_DESC_F } from './constants.ts'
import { RngDevice } from './rng.ts'
import type { TestQueue } from './testing/driver.ts'
import { TestMachine } from './testing/machine.ts'
import { PciDriver } from './testing/pci-driver.ts'

const RAM = 4 << 20
const SIZE = 8
const NEIGHBOUR_RINGS = 0x8_0000
const DATA = 0x18_0000
const { NEXT, WRITE } = VIRTQ_DESC_F

const BROKEN: Readonly<Record<string, (queue: TestQueue) => void>> = {
  'a chain that is a loop': (queue) => {
    queue.put(0, DATA, 16, NEXT, 1)
    queue.put(1, DATA, 16, NEXT, 0)
    queue.offer(0)
  },
  'a loop of buffers to write': (queue) => {
    for (let i = 0; i < SIZE; i++) queue.put(i, DATA, 16, NEXT | WRITE, (i + 1) % SIZE)
    queue.offer(0)
  },
  'a length past the end of memory': (queue) => {
    queue.put(0, RAM - 16, 4096, 0, 0)
    queue.offer(0)
  },
  'an address that is nowhere': (queue) => {
    queue.put(0, 2 ** 52, 16, 0, 0)
    queue.offer(0)
  },
  'a length that wraps around': (queue) => {
    queue.put(0, DATA, 0xffff_ffff, 0, 0)
    queue.offer(0)
  },
  'a chain that goes on outside the table': (queue) => {
    queue.put(0, DATA, 16, NEXT, SIZE)
    queue.offer(0)
  },
  'a chain that begins outside the table': (queue) => queue.offer(SIZE),
  'an index that jumps': (queue) => queue.setAvailableIndex(SIZE + 1),
}

/** More chains than any device takes in one turn, and few enough to wait for. */
const ENDLESS = 20_000

/** The ring of `index` always has one more chain than the device has taken; returns how many it took so far. */
function offerForEver(driver: PciDriver, index: number): () => number {
  const { memory } = driver.machine
  const queue = driver.queues[index]!
  const taken = driver.fn.transport.queues[index]!
  // Zeroes to read and room to write: of no sense to most devices, but nothing a driver may not do.
  queue.put(0, DATA, 64, NEXT, 1)
  queue.put(1, DATA + 4096, 4096, WRITE, 0)
  let chains = 0
  let last = taken.save().nextAvailable
  const readU16 = memory.readU16.bind(memory)
  memory.readU16 = (address) => {
    if (address !== queue.available + 2) return readU16(address)
    const { nextAvailable } = taken.save()
    chains += (nextAvailable - last) & 0xffff
    last = nextAvailable
    return chains < ENDLESS ? (nextAvailable + 1) & 0xffff : nextAvailable
  }
  return () => chains
}

for (const { name, make } of virtioRecipes) {
  describe(name, () => {
    test('a driver that offers as fast as the device takes keeps no other device waiting', () => {
      for (let index = 0, count = 1; index < count; index++) {
        const machine = new TestMachine(RAM)
        const made = make()
        const driver = new PciDriver(machine, made.device)
        try {
          driver.start(driver.offered(), SIZE)
          count = driver.queues.length
          const chains = offerForEver(driver, index)
          driver.kick(index)
          machine.loop.runOnce(0)
          assert.ok(chains() < ENDLESS, `queue ${index} would never have let the thread go`)
        } finally {
          driver.bus.close()
          made.release?.()
          machine.close()
        }
      }
    })

    for (const [what, put] of Object.entries(BROKEN)) {
      test(`${what}: one counted error, a reset, and the device beside it lives`, () => {
        const machine = new TestMachine(RAM)
        const made = make()
        const driver = new PciDriver(machine, made.device)
        const neighbour = new PciDriver(machine, new RngDevice(), undefined, driver)
        try {
          neighbour.start(neighbour.offered(), SIZE, NEIGHBOUR_RINGS)
          driver.start(driver.offered(), SIZE)
          const count = driver.queues.length
          let stopped = 0
          for (let index = 0; index < count; index++) {
            driver.start(driver.offered(), SIZE)
            const before = driver.fn.transport.counters.failures
            put(driver.queues[index]!)
            driver.kick(index)
            machine.loop.runOnce(0)
            // Buffers to receive into are looked at when something comes.
            const needsReset = (driver.status & STATUS.DEVICE_NEEDS_RESET) !== 0
            assert.equal(driver.fn.transport.counters.failures - before, needsReset ? 1 : 0)
            if (needsReset) stopped++
            // A device that waits for its reset is deaf.
            driver.kick(index)
            machine.loop.runOnce(0)
            assert.equal(driver.fn.transport.counters.failures - before, needsReset ? 1 : 0)

            const queue = neighbour.queues[0]!
            queue.add([{ address: DATA, length: 8, writable: true }])
            neighbour.kick(0)
            machine.loop.runOnce(0)
            assert.deepEqual(
              queue.takeUsed().map(({ length }) => length),
              [8],
            )
          }
          assert.ok(stopped > 0, 'no queue of the device looks at what it is given')
          driver.start(driver.offered(), SIZE)
          assert.equal(driver.status & STATUS.DEVICE_NEEDS_RESET, 0)
        } finally {
          driver.bus.close()
          made.release?.()
          machine.close()
        }
      })
    }
  })
}
