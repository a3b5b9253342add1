import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescriptorChain } from '../virtio/chain.ts'
import { Virtqueue } from '../virtio/queue.ts'
import { TestQueue } from '../virtio/testing/driver.ts'
import { DirtyPages, PAGE } from './dirty-pages.ts'
import { GuestMemory } from './guest-memory.ts'

const MIB = 1 << 20
const regions = [
  { guestAddress: 0, size: MIB, hostAddress: 0 },
  { guestAddress: 2 ** 32, size: MIB, hostAddress: 0 },
]

test('marks are pages of RAM without its holes; what touches two pages marks both', () => {
  const dirty = new DirtyPages(regions)
  dirty.mark(PAGE - 1, 2)
  dirty.mark(2 ** 32 + 3 * PAGE, 1)
  dirty.mark(MIB + 5 * PAGE, PAGE)
  dirty.mark(2 ** 32 + MIB - 1, 1)
  assert.deepEqual(
    [...dirty.extents()],
    [
      { offset: 0, length: 2 * PAGE },
      { offset: MIB + 3 * PAGE, length: PAGE },
      { offset: 2 * MIB - PAGE, length: PAGE },
    ],
  )
  const other = new DirtyPages(regions)
  other.add(Uint8Array.of(0b1000_0000, 1), MIB / PAGE)
  assert.deepEqual([...other.extents()], [{ offset: MIB + 7 * PAGE, length: 2 * PAGE }])
  other.add(dirty.bits)
  other.clear()
  assert.deepEqual([...other.extents()], [])
})

test('everything this process writes into RAM is noted, buffers the kernel filled included', () => {
  const memory = GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(MIB) }])
  const at = (page: number): number => page * PAGE
  const queue = new TestQueue(memory, at(16), 8)
  const ring = new Virtqueue(memory, 0, 8)
  ring.enable(queue.layout())
  const dirty = new DirtyPages([{ guestAddress: 0, size: MIB, hostAddress: 0 }])
  const pages = (): number[] => {
    const found = [...dirty.extents()].flatMap(({ offset, length }) =>
      Array.from({ length: length / PAGE }, (_, i) => offset / PAGE + i),
    )
    dirty.clear()
    return found
  }
  queue.add([
    { address: at(100), length: 16 },
    { address: at(102), length: 2 * PAGE, writable: true },
  ])
  memory.dirty = dirty
  const chain = ring.pop()
  assert.ok(chain instanceof DescriptorChain)
  ring.push(chain, 2 * PAGE)
  assert.deepEqual(pages(), [16, 102, 103])
  memory.writeU8(at(1), 1)
  memory.writeU16(at(2), 1)
  memory.writeU32(at(3), 1)
  memory.writeU64(at(4), 1)
  memory.write(at(5), new Uint8Array(PAGE + 1))
  memory.fill(at(8), 1, 1)
  memory.readU32(at(9))
  assert.deepEqual(pages(), [1, 2, 3, 4, 5, 6, 8])
})
