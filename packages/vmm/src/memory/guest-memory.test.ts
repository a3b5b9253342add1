import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../sys/exit-error.ts'
import { GuestMemory, GuestMemoryError } from './guest-memory.ts'
import { allocateGuestRam, availableMemory, freeHugePages } from './guest-ram.ts'

/** Two neighbours at 0 and 16, a hole, one at 64. */
const build = (): GuestMemory =>
  GuestMemory.ofBuffers([
    { guestAddress: 0, buffer: new ArrayBuffer(16) },
    { guestAddress: 16, buffer: new ArrayBuffer(16) },
    { guestAddress: 64, buffer: new ArrayBuffer(16) },
  ])

test('numbers of every width are little endian and stay where they were put', () => {
  const memory = build()
  memory.writeU8(0, 0x12)
  memory.writeU16(2, 0x3456)
  memory.writeU32(4, 0xfedc_ba98)
  memory.writeU64(8, 0x0012_3456_789a_bcde)
  assert.equal(memory.readU8(0), 0x12)
  assert.equal(memory.readU16(2), 0x3456)
  assert.equal(memory.readU32(4), 0xfedc_ba98)
  assert.equal(memory.readU64(8), 0x0012_3456_789a_bcde)
  assert.deepEqual([...memory.bytes(8, 4)], [0xde, 0xbc, 0x9a, 0x78])
})

test('copies cross from one region to the next, and fill too', () => {
  const memory = build()
  const source = Uint8Array.from({ length: 20 }, (_, i) => i + 1)
  memory.write(6, source)
  const target = new Uint8Array(20)
  memory.read(6, target)
  assert.deepEqual(target, source)
  memory.fill(10, 12, 0xaa)
  memory.read(6, target)
  assert.deepEqual([...target.subarray(0, 5)], [1, 2, 3, 4, 0xaa])
  assert.deepEqual([...target.subarray(15, 17)], [0xaa, 17])
})

test('nothing outside RAM is ever touched, and a refused copy changes nothing', () => {
  const memory = build()
  const bad: [number, number][] = [
    [-1, 1],
    [31, 2],
    [32, 1],
    [63, 2],
    [79, 2],
    [0, 33],
    [2 ** 53, 8],
    [Number.MAX_VALUE, 1],
    [Number.NaN, 1],
    [0.5, 1],
    [0, Number.POSITIVE_INFINITY],
    [64, -1],
  ]
  for (const [address, length] of bad) {
    assert.equal(memory.contains(address, length), false, `${address}+${length}`)
  }
  for (const [address, length] of bad.filter(([, length]) => length > 0 && length < 100)) {
    assert.throws(() => memory.read(address, new Uint8Array(length)), GuestMemoryError)
    assert.throws(() => memory.write(address, new Uint8Array(length).fill(9)), GuestMemoryError)
    assert.throws(() => memory.fill(address, length, 9), GuestMemoryError)
  }
  for (const address of [-1, 29, 32, 61, 77, 2 ** 40]) {
    assert.throws(() => memory.readU32(address), GuestMemoryError)
    assert.throws(() => memory.writeU32(address, 1), GuestMemoryError)
  }
  for (const [start, length] of [
    [0, 32],
    [64, 16],
  ] as const) {
    const all = new Uint8Array(length)
    memory.read(start, all)
    assert.ok(all.every((byte) => byte === 0))
  }
  // One number or view never spans two regions.
  assert.throws(() => memory.readU32(14), GuestMemoryError)
  assert.throws(() => memory.bytes(14, 4), GuestMemoryError)
  assert.equal(memory.contiguous(14, 100), 2)
  assert.equal(memory.contiguous(40, 1), 0)
})

test('real RAM: every thread’s view shows the same bytes, and clearing gives zeroes', () => {
  const ram = allocateGuestRam([
    { guestAddress: 0, size: 1 << 20 },
    { guestAddress: 2 ** 32, size: 1 << 20 },
  ])
  const memory = new GuestMemory(ram.regions)
  const other = new GuestMemory(ram.regions)
  memory.writeU32(2 ** 32 + 0x1000, 0xdead_beef)
  memory.writeU32(0x1000, 7)
  assert.equal(other.readU32(2 ** 32 + 0x1000), 0xdead_beef)
  assert.equal(memory.hostAddress(0x1000, 4), ram.regions[0]!.hostAddress + 0x1000)
  ram.clear()
  assert.equal(other.readU32(2 ** 32 + 0x1000), 0)
  assert.equal(other.readU32(0x1000), 0)
})

test('more memory than the host has is refused with code 2', () => {
  const refused = (error: unknown): boolean =>
    error instanceof ExitError &&
    error.code === 2 &&
    /has 100 MiB of memory left, the VM asks for 101 MiB/.test(error.message)
  assert.throws(() => allocateGuestRam([{ guestAddress: 0, size: 101 << 20 }], 100 << 20), refused)
  assert.equal(availableMemory('MemTotal: 9 kB\nMemAvailable:   1000 kB\nSwapFree:    24 kB\n'), 1024 * 1024)
  assert.equal(availableMemory('nothing'), Number.POSITIVE_INFINITY)
  assert.ok(availableMemory() > 0)
})

test('prefault takes the pages at once; memory with holes tells which pages were touched', () => {
  const ranges = [
    { guestAddress: 0, size: 4 << 20 },
    { guestAddress: 2 ** 32, size: 4 << 20 },
  ]
  const ram = allocateGuestRam(ranges, undefined, { prefault: true })
  assert.deepEqual([...ram.extents()], [{ offset: 0, length: 8 << 20 }])
  ram.clear()
  assert.deepEqual([...ram.extents()], [])
  new GuestMemory(ram.regions).writeU8(2 ** 32 + 5000, 1)
  assert.deepEqual([...ram.extents()], [{ offset: (4 << 20) + 4096, length: 4096 }])
  ram.close()
})

test('huge pages: refused with what to do where the host has too few, else the memory is theirs', (t) => {
  const odd = [{ guestAddress: 0, size: 3 << 20 }]
  assert.throws(() => allocateGuestRam(odd, undefined, { hugePages: true }), /not a whole number of pages/)
  const free = freeHugePages()
  const tooMany = [{ guestAddress: 0, size: (free + 1) * (2 << 20) }]
  assert.throws(
    () => allocateGuestRam(tooMany, undefined, { hugePages: true }),
    (error) => error instanceof ExitError && error.code === 2 && /vm\.nr_hugepages/.test(error.message),
  )
  if (free === 0) return t.skip('this host reserves no huge pages')
  const ram = allocateGuestRam([{ guestAddress: 0, size: 2 << 20 }], undefined, { hugePages: true })
  const memory = new GuestMemory(ram.regions)
  memory.writeU32(0x1f_fff0, 42)
  assert.equal(freeHugePages(), free - 1)
  ram.clear()
  assert.equal(memory.readU32(0x1f_fff0), 0)
  ram.close()
})
