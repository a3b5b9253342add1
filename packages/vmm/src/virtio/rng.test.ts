import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RngDevice } from './rng.ts'
import { TestMachine } from './testing/machine.ts'
import { PciDriver } from './testing/pci-driver.ts'

test('entropy fills the buffers, at most 4 KiB a request, and differs', () => {
  const machine = new TestMachine()
  const device = new RngDevice()
  const driver = new PciDriver(machine, device)
  driver.start(driver.offered())
  const queue = driver.queues[0]!
  const buffers = [driver.data, driver.data + 0x10_000]
  for (const address of buffers) queue.add([{ address, length: 8192, writable: true }])
  driver.kick(0)
  machine.until('both answers', () => queue.usedIndex === 2)
  assert.deepEqual(
    queue.takeUsed().map((element) => element.length),
    [4096, 4096],
  )
  const [a, b] = buffers.map((address) => machine.memory.bytes(address, 4096))
  assert.notDeepEqual(a, b)
  // 4096 random bytes miss a given value with a probability of 1 in 9 million; all of them zero never.
  assert.ok(new Set(a).size > 200)
  assert.ok(machine.memory.bytes(driver.data + 4096, 4096).every((byte) => byte === 0))
  assert.deepEqual(device.counters, { requests: 2, bytes: 8192 })
  driver.bus.close()
  machine.close()
})

test('a driver that offers more than a ring while it is served gets it all', () => {
  const machine = new TestMachine()
  const driver = new PciDriver(machine, new RngDevice())
  driver.start(0n)
  const queue = driver.queues[0]!
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < queue.size; i++) queue.add([{ address: driver.data, length: 16, writable: true }])
    driver.kick(0)
    machine.until(
      'a ring of answers',
      () => queue.takeUsed().length > 0 && queue.usedIndex === 8 * (round + 1),
    )
  }
  assert.throws(() => driver.structure(4), /no virtio structure of type 4/, 'it has no configuration')
  driver.bus.close()
  machine.close()
})
