import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GuestMemory } from '../memory/guest-memory.ts'
import { VIRTQ_DESC_F } from './constants.ts'
import { Virtqueue, type VirtqueueFault } from './queue.ts'
import { seeded, TestQueue } from './testing/driver.ts'

const { NEXT, WRITE, INDIRECT } = VIRTQ_DESC_F
const KIB64 = 0x10000
const DATA = 0x20000
const TABLE = 0x30000

/** Two regions that touch at 256 KiB, and a third one away from them. */
function ram(): GuestMemory {
  return GuestMemory.ofBuffers([
    { guestAddress: 0, buffer: new ArrayBuffer(4 * KIB64) },
    { guestAddress: 4 * KIB64, buffer: new ArrayBuffer(4 * KIB64) },
    { guestAddress: 0x1_0000_0000, buffer: new ArrayBuffer(KIB64) },
  ])
}

function setUp(options: { size?: number; eventIndex?: boolean; indirect?: boolean; at?: number } = {}) {
  const memory = ram()
  const faults: VirtqueueFault[] = []
  const driver = new TestQueue(memory, options.at ?? 0x1000, options.size ?? 8)
  const queue = new Virtqueue(memory, 0, 8, (error) => faults.push(error.fault))
  queue.enable(driver.layout(options))
  return { memory, driver, queue, faults }
}

const segments = (chain: { addresses: Float64Array; lengths: Float64Array }, count: number) =>
  Array.from({ length: count }, (_, i) => [chain.addresses[i], chain.lengths[i]])

test('a chain arrives with its readable and writable parts, and goes back through the used ring', () => {
  const { driver, queue, memory } = setUp()
  assert.equal(queue.pop(), null)
  memory.write(DATA, new TextEncoder().encode('header'))
  const head = driver.add([
    { address: DATA, length: 6 },
    { address: DATA + 100, length: 10, writable: true },
    { address: DATA + 200, length: 1, writable: true },
  ])
  const chain = queue.pop()
  assert.ok(chain)
  assert.equal(chain.readableBytes, 6)
  assert.equal(chain.writableBytes, 11)
  assert.deepEqual(segments(chain, 3), [
    [DATA, 6],
    [DATA + 100, 10],
    [DATA + 200, 1],
  ])
  const text = new Uint8Array(4)
  assert.equal(chain.read(2, text), 4)
  assert.equal(new TextDecoder().decode(text), 'ader')
  assert.equal(chain.write(8, new Uint8Array([1, 2, 3, 4])), 3)
  assert.deepEqual([...memory.bytes(DATA + 108, 2)], [1, 2])
  assert.equal(memory.readU8(DATA + 200), 3)
  chain.writeU8(10, 0x55)
  assert.equal(memory.readU8(DATA + 200), 0x55)
  queue.push(chain, 11)
  assert.deepEqual(driver.takeUsed(), [{ id: head, length: 11 }])
})

test('integers and copies cross segment and region borders', () => {
  const { driver, queue, memory } = setUp()
  const border = 4 * KIB64
  memory.write(border - 3, new Uint8Array([1, 2, 3, 4, 5, 6]))
  memory.write(DATA, new Uint8Array([7, 8]))
  driver.add([
    { address: border - 3, length: 6 },
    { address: DATA, length: 2 },
    { address: border - 1, length: 3, writable: true },
  ])
  const chain = queue.pop()
  assert.ok(chain)
  assert.equal(chain.readableCount, 3)
  assert.equal(chain.writableCount, 2)
  assert.equal(chain.readU32(1), 0x05040302)
  assert.equal(chain.readU32(4), 0x08070605)
  assert.equal(chain.write(0, new Uint8Array([9, 10, 11])), 3)
  const written = new Uint8Array(3)
  memory.read(border - 1, written)
  assert.deepEqual([...written], [9, 10, 11])
})

test('indirect tables are walked when negotiated, also in the middle of a region and behind direct ones', () => {
  const { driver, queue } = setUp({ indirect: true })
  driver.addIndirect(TABLE + 16, [
    { address: DATA, length: 16 },
    { address: DATA + 512, length: 512, writable: true },
  ])
  const chain = queue.pop()
  assert.ok(chain)
  assert.deepEqual([chain.readableBytes, chain.writableBytes], [16, 512])
  queue.push(chain, 512)
  // A direct descriptor, then an indirect one as the last of the chain (2.7.5.3.1 allows it).
  driver.put(4, DATA, 8, NEXT, 5)
  driver.put(5, TABLE, 16, INDIRECT, 0)
  driver.put(0, DATA + 64, 4, WRITE, 0, TABLE)
  driver.offer(4)
  const mixed = queue.pop()
  assert.ok(mixed)
  assert.deepEqual([mixed.readableBytes, mixed.writableBytes], [8, 4])
})

test('undo gives a chain back: the next pop returns it again', () => {
  const { driver, queue } = setUp()
  driver.add([{ address: DATA, length: 1 }])
  driver.add([{ address: DATA + 1, length: 1 }])
  const first = queue.pop()
  assert.ok(first)
  queue.undo(first)
  assert.equal(queue.pop()?.addresses[0], DATA)
  assert.equal(queue.pop()?.addresses[0], DATA + 1)
})

const hostile: [VirtqueueFault, (d: TestQueue, m: GuestMemory) => void, { indirect?: boolean }?][] = [
  ['avail-index-jump', (d) => d.setAvailableIndex(9)],
  ['avail-index-jump', (d) => d.setAvailableIndex(0xffff)],
  ['descriptor-index-out-of-range', (d) => d.offer(8)],
  ['descriptor-index-out-of-range', (d) => d.offer(0xffff)],
  [
    'descriptor-index-out-of-range',
    (d) => {
      d.put(0, DATA, 1, NEXT, 8)
      d.offer(0)
    },
  ],
  [
    'descriptor-loop',
    (d) => {
      d.put(0, DATA, 1, NEXT, 0)
      d.offer(0)
    },
  ],
  [
    'descriptor-loop',
    (d) => {
      for (let i = 0; i < 8; i++) d.put(i, DATA, 1, NEXT, (i + 1) % 8)
      d.offer(3)
    },
  ],
  ['zero-length-descriptor', (d) => d.add([{ address: DATA, length: 0 }])],
  ['buffer-outside-ram', (d) => d.add([{ address: 8 * KIB64, length: 1 }])],
  ['buffer-outside-ram', (d) => d.add([{ address: 8 * KIB64 - 1, length: 2 }])],
  ['buffer-outside-ram', (d) => d.add([{ address: 0x1_0000_ffff, length: 2 }])],
  ['buffer-outside-ram', (d) => d.add([{ address: DATA, length: 0xffff_ffff }])],
  ['buffer-outside-ram', (d) => d.add([{ address: 2 ** 63, length: 1 }])],
  [
    'buffer-outside-ram',
    (d, m) => {
      // The top of the address space: adding the length wraps to 0 in 64 bits.
      d.add([{ address: 0, length: 4096 }])
      m.writeU32(d.descriptors, 0xffff_f000)
      m.writeU32(d.descriptors + 4, 0xffff_ffff)
    },
  ],
  [
    'readable-after-writable',
    (d) =>
      d.add([
        { address: DATA, length: 1, writable: true },
        { address: DATA, length: 1 },
      ]),
  ],
  ['indirect-not-negotiated', (d) => d.addIndirect(TABLE, [{ address: DATA, length: 1 }])],
  [
    'indirect-nested',
    (d) => {
      d.put(0, TABLE, 16, INDIRECT, 0, TABLE)
      d.put(0, TABLE, 16, INDIRECT, 0)
      d.offer(0)
    },
    { indirect: true },
  ],
  [
    'indirect-with-next',
    (d) => {
      d.put(0, TABLE, 16, INDIRECT | NEXT, 1)
      d.offer(0)
    },
    { indirect: true },
  ],
  ...[0, 8, 17].map((length): [VirtqueueFault, (d: TestQueue) => void, { indirect: boolean }] => [
    'indirect-bad-length',
    (d) => {
      d.put(0, TABLE, length, INDIRECT, 0)
      d.offer(0)
    },
    { indirect: true },
  ]),
  [
    'chain-too-long',
    (d) => {
      d.put(0, TABLE, 9 * 16, INDIRECT, 0)
      d.offer(0)
    },
    { indirect: true },
  ],
  [
    'descriptor-loop',
    (d) => {
      d.put(0, DATA, 1, NEXT, 1, TABLE)
      d.put(1, DATA, 1, NEXT, 0, TABLE)
      d.put(0, TABLE, 32, INDIRECT, 0)
      d.offer(0)
    },
    { indirect: true },
  ],
  [
    'descriptor-index-out-of-range',
    (d) => {
      d.put(0, DATA, 1, NEXT, 2, TABLE)
      d.put(0, TABLE, 32, INDIRECT, 0)
      d.offer(0)
    },
    { indirect: true },
  ],
  [
    'indirect-outside-ram',
    (d) => {
      d.put(0, 8 * KIB64 - 16, 32, INDIRECT, 0)
      d.offer(0)
    },
    { indirect: true },
  ],
  [
    'indirect-outside-ram',
    (d) => {
      d.put(0, 4 * KIB64 - 24, 32, INDIRECT, 0)
      d.offer(0)
    },
    { indirect: true },
  ],
]
for (const [i, [fault, act, options]] of hostile.entries()) {
  test(`hostile ring ${i}: ${fault} stops the queue by name, once`, () => {
    const { driver, queue, memory, faults } = setUp(options)
    act(driver, memory)
    assert.equal(queue.pop(), null)
    assert.deepEqual(faults, [fault])
    assert.equal(queue.enabled, false)
    assert.equal(queue.pop(), null)
    assert.equal(queue.enableNotify(), false)
    assert.equal(queue.needsInterrupt(), false)
    assert.deepEqual(faults, [fault])
  })
}

test('a chain of more than 4 GiB is refused, one of exactly 4 GiB is served', () => {
  const gib2 = 0x8000_0000
  const memory = GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(gib2) }])
  const driver = new TestQueue(memory, 0x1000, 8)
  const faults: VirtqueueFault[] = []
  const queue = new Virtqueue(memory, 0, 8, (error) => faults.push(error.fault))
  queue.enable(driver.layout())
  const whole = { address: 0, length: gib2, writable: true }
  driver.add([whole, whole])
  assert.equal(queue.pop()?.writableBytes, 2 * gib2)
  driver.add([whole, whole, { address: 0, length: 1, writable: true }])
  assert.equal(queue.pop(), null)
  assert.deepEqual(faults, ['chain-over-4-gib'])
})

test('a good chain before a bad one is still served', () => {
  const { driver, queue, faults } = setUp()
  driver.add([{ address: DATA, length: 1 }])
  driver.offer(99)
  const chain = queue.pop()
  assert.ok(chain)
  assert.equal(queue.pop(), null)
  assert.deepEqual(faults, ['descriptor-index-out-of-range'])
  // The queue is stopped: giving the chain back changes nothing in guest memory.
  queue.push(chain, 0)
  assert.equal(driver.usedIndex, 0)
})

test('ring addresses and sizes are checked when the queue is enabled', () => {
  const memory = ram()
  const driver = new TestQueue(memory, 0x1000, 8)
  const good = driver.layout()
  const bad: [VirtqueueFault, Partial<typeof good>][] = [
    ['bad-queue-size', { size: 0 }],
    ['bad-queue-size', { size: 3 }],
    ['bad-queue-size', { size: 16 }],
    ['bad-queue-size', { size: 65536 }],
    ['ring-misaligned', { descriptors: 0x1008 }],
    ['ring-misaligned', { available: 0x1101 }],
    ['ring-misaligned', { used: 0x1102 }],
    ['ring-outside-ram', { descriptors: 8 * KIB64 - 16 }],
    ['ring-outside-ram', { available: 8 * KIB64 }],
    ['ring-outside-ram', { used: 0x1_0001_0000 - 4 }],
    ['ring-outside-ram', { used: 2 ** 63 }],
  ]
  for (const [fault, change] of bad) {
    const queue = new Virtqueue(memory, 1, 8)
    assert.throws(() => queue.enable({ ...good, ...change }), { name: 'VirtqueueError', fault })
    assert.equal(queue.enabled, false)
  }
})

test('rings may cross from one region to the next', () => {
  const { driver, queue } = setUp({ at: 4 * KIB64 - 64 })
  for (let round = 0; round < 20; round++) {
    const head = driver.add([{ address: DATA, length: 1 + round }])
    const chain = queue.pop()
    assert.ok(chain)
    assert.equal(chain.readableBytes, 1 + round)
    queue.push(chain, 0)
    assert.deepEqual(driver.takeUsed(), [{ id: head, length: 0 }])
  }
})

test('without EVENT_IDX the flags say who wants to hear of what', () => {
  const { driver, queue, memory } = setUp()
  const serve = () => {
    driver.add([{ address: DATA, length: 1 }])
    const chain = queue.pop()
    assert.ok(chain)
    queue.push(chain, 0)
  }
  assert.equal(queue.needsInterrupt(), false, 'nothing was used yet')
  serve()
  assert.equal(queue.needsInterrupt(), true)
  assert.equal(queue.needsInterrupt(), false, 'told already')
  memory.writeU16(driver.available, 1)
  serve()
  assert.equal(queue.needsInterrupt(), false)
  queue.disableNotify()
  assert.equal(memory.readU16(driver.used), 1)
  driver.add([{ address: DATA, length: 1 }])
  assert.equal(queue.enableNotify(), true, 'a chain came while the driver was asked not to ring')
  assert.equal(memory.readU16(driver.used), 0)
})

test('with EVENT_IDX the indexes do, also across the wrap of 16 bits', () => {
  const { driver, queue } = setUp({ eventIndex: true })
  const serve = () => {
    driver.add([{ address: DATA, length: 1 }])
    const chain = queue.pop()
    assert.ok(chain)
    queue.push(chain, 0)
  }
  for (let i = 0; i < 0x10000 - 3; i++) serve()
  assert.equal(driver.usedIndex, 0xfffd)
  queue.needsInterrupt()
  driver.usedEvent = 0x0001
  // Interrupt wanted when the index moves past 1: after 0xfffe, 0xffff, 0, 1 → the fifth.
  const asked = []
  for (let i = 0; i < 6; i++) {
    serve()
    asked.push(queue.needsInterrupt())
  }
  assert.deepEqual(asked, [false, false, false, false, true, false])
  assert.equal(queue.enableNotify(), false)
  assert.equal(driver.availEvent, driver.usedIndex)
})

test('a paused queue looks empty and a disabled one forgets', () => {
  const { driver, queue } = setUp()
  driver.add([{ address: DATA, length: 1 }])
  queue.setPaused(true)
  assert.equal(queue.pop(), null)
  queue.disableNotify()
  assert.equal(driver.memory.readU16(driver.used), 0, "its memory is another kernel's by now")
  queue.setPaused(false)
  const chain = queue.pop()
  assert.ok(chain)
  queue.disable()
  queue.push(chain, 0)
  assert.equal(driver.usedIndex, 0)
})

test('a packet over several chains appears at once', () => {
  const { driver, queue } = setUp()
  for (let i = 0; i < 3; i++) driver.add([{ address: DATA, length: 4, writable: true }])
  for (let i = 0; i < 3; i++) {
    const chain = queue.pop()
    assert.ok(chain)
    queue.fill(chain, 4, i)
    assert.equal(driver.usedIndex, 0)
  }
  queue.publish(3)
  assert.deepEqual(
    driver.takeUsed().map((element) => element.id),
    [0, 1, 2],
  )
})

test('property: honest chains of any shape arrive whole, for more rounds than the indexes hold', () => {
  const random = seeded(1)
  const { driver, queue, memory, faults } = setUp({ indirect: true, eventIndex: true })
  const limit = 70_000
  for (let round = 0; round < limit; round++) {
    const count = 1 + random(8)
    const writableFrom = random(count + 1)
    const parts = Array.from({ length: count }, (_, i) => ({
      address: DATA + random(KIB64),
      length: 1 + random(2000),
      writable: i >= writableFrom,
    }))
    const head = random(2) === 0 ? driver.add(parts) : driver.addIndirect(TABLE + 16 * random(64), parts)
    const chain = queue.pop()
    assert.ok(chain)
    const sum = (writable: boolean) =>
      parts.filter((p) => p.writable === writable).reduce((total, p) => total + p.length, 0)
    assert.equal(chain.readableBytes, sum(false))
    assert.equal(chain.writableBytes, sum(true))
    queue.push(chain, chain.writableBytes)
    assert.deepEqual(driver.takeUsed(), [{ id: head, length: sum(true) }])
  }
  assert.deepEqual(faults, [])
  assert.equal(memory.readU16(driver.used + 2), limit & 0xffff)
})

test('property: random bytes in the rings never throw and never reach outside RAM', () => {
  const random = seeded(2)
  let served = 0
  const seen = new Set<VirtqueueFault>()
  for (let round = 0; round < 30_000; round++) {
    const memory = sharedRam
    const driver = new TestQueue(memory, 0x1000, 8)
    const queue = new Virtqueue(memory, 0, 8, (error) => seen.add(error.fault))
    queue.enable(driver.layout({ indirect: random(4) !== 0, eventIndex: true }))
    for (const table of [driver.descriptors, TABLE]) {
      for (let i = 0; i < 8; i++) {
        const near = [
          DATA,
          TABLE,
          TABLE + 16 * random(4),
          4 * KIB64 - random(64),
          8 * KIB64 - random(64),
          2 ** 40,
        ]
        const lengths = [0, 16, 32, random(300), 0xffff_ffff]
        driver.put(i, near[random(6)]!, lengths[random(5)]!, random(8), random(10), table)
      }
    }
    for (let i = 0; i < 8; i++) driver.offer(random(10))
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
      served++
      for (let i = 0; i < chain.readableCount + chain.writableCount; i++) {
        assert.ok(memory.contains(chain.addresses[i]!, chain.lengths[i]!))
      }
      queue.push(chain, random(100))
      queue.needsInterrupt()
    }
  }
  assert.ok(served > 1000, `only ${served} chains were served`)
  assert.ok(seen.size >= 8, `only ${[...seen]} were met`)
})
const sharedRam = ram()
