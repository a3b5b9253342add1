import assert from 'node:assert/strict'
import { test } from 'node:test'
import { vmmDiskChangesSchema } from '@hearth/shared/vmm-control'
import { seeded } from '../virtio/testing/driver.ts'
import { commandChanges, DiskChanges } from './changes.ts'

const KIB = 1024
const GIB = 2 ** 30
const changesOf = (sizeBytes: number) => new DiskChanges(DiskChanges.allocate(sizeBytes), sizeBytes)
const granulesIn = (bits: Uint8Array): number[] =>
  [...bits].flatMap((byte, i) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((b) => byte & (1 << b)).map((b) => i * 8 + b),
  )

test('nothing is noted before the beginning and after the end; what was taken is noted no more', () => {
  const changes = changesOf(1 * GIB)
  changes.mark(0, 4096)
  changes.begin()
  assert.deepEqual(granulesIn(changes.take().bits), [])
  changes.mark(64 * KIB - 1, 2)
  changes.mark(40 * 64 * KIB, 1)
  changes.mark(0, 0)
  const { granuleBytes, bits } = changes.take()
  assert.equal(granuleBytes, 64 * KIB)
  assert.deepEqual(granulesIn(bits), [0, 1, 40])
  assert.deepEqual(granulesIn(changes.take().bits), [])
  changes.end()
  changes.mark(0, 4096)
  assert.deepEqual(granulesIn(changes.take().bits), [])
})

test('a large disk has larger granules, never more than fit one line of the control protocol', () => {
  for (const size of [512, 64 * KIB + 1, 16 * GIB, 16 * GIB + 512, 5000 * GIB]) {
    const changes = changesOf(size)
    changes.begin()
    changes.mark(size - 1, 1)
    const { granuleBytes, bits } = changes.take()
    assert.deepEqual(granulesIn(bits), [Math.ceil(size / granuleBytes) - 1], String(size))
    assert.ok(bits.length <= 32 * KIB, String(size))
  }
})

test('property: a copy that follows what is told becomes the disk', () => {
  const random = seeded(7)
  const size = 300 * 64 * KIB + 512
  // A byte stands for a sector.
  const disk = new Uint8Array(size / 512)
  const changes = changesOf(size)
  changes.begin()
  const copy = disk.slice()
  for (let round = 0; round < 40; round++) {
    for (let i = random(30); i > 0; i--) {
      const at = random(disk.length)
      const count = Math.min(disk.length - at, 1 + random(i % 7 === 0 ? 20_000 : 200))
      disk.fill(1 + random(255), at, at + count)
      changes.mark(at * 512, count * 512)
    }
    const { granuleBytes, bits } = changes.take()
    const sectors = granuleBytes / 512
    for (const granule of granulesIn(bits))
      copy.set(disk.subarray(granule * sectors, (granule + 1) * sectors), granule * sectors)
    assert.deepEqual(copy, disk)
  }
})

test('the command: by the path the disk was given, and refused where nothing is noted', () => {
  const sizeBytes = 4 * 64 * KIB
  const changes = DiskChanges.allocate(sizeBytes)
  const disks = [{ path: '/disk', changes, sizeBytes }, { path: '/seed' }]
  assert.throws(() => commandChanges(disks, { path: '/disk', note: 'go-on' }), /not noted: begin/)
  assert.throws(() => commandChanges(disks, { path: '/seed', note: 'begin' }), /writes no disk \/seed/)
  assert.throws(() => commandChanges(disks, { path: '/other', note: 'begin' }), /writes no disk/)
  commandChanges(disks, { path: '/disk', note: 'begin' })
  new DiskChanges(changes, sizeBytes).mark(3 * 64 * KIB, 1)
  const told = vmmDiskChangesSchema.parse(commandChanges(disks, { path: '/disk', note: 'end' }))
  assert.deepEqual(granulesIn(Buffer.from(told.bits, 'base64')), [3])
  assert.throws(() => commandChanges(disks, { path: '/disk', note: 'end' }), /not noted/)
})
