import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOOT, CONVENTIONAL_END, ECAM, memoryMap, PCI_MMIO, ramRanges } from './layout.ts'

const GIB = 2 ** 30
const MIB = 2 ** 20

test('RAM lies below 3 GiB, then from 4 GiB, in windows of at most 4 GiB, and none is lost', () => {
  assert.deepEqual(ramRanges(512 * MIB), [{ guestAddress: 0, size: 512 * MIB }])
  assert.deepEqual(ramRanges(3 * GIB), [{ guestAddress: 0, size: 3 * GIB }])
  assert.deepEqual(ramRanges(3 * GIB + MIB), [
    { guestAddress: 0, size: 3 * GIB },
    { guestAddress: 4 * GIB, size: MIB },
  ])
  const large = ramRanges(20 * GIB)
  assert.equal(
    large.reduce((sum, range) => sum + range.size, 0),
    20 * GIB,
  )
  assert.ok(large.every((range) => range.size <= 4 * GIB))
  for (let i = 2; i < large.length; i++) {
    assert.equal(large[i]!.guestAddress, large[i - 1]!.guestAddress + large[i - 1]!.size)
  }
})

test('the memory map is sorted, without overlaps, and its RAM is real RAM', () => {
  for (const bytes of [8 * MIB, 64 * MIB, 3 * GIB, 3 * GIB + 2 * MIB, 64 * GIB]) {
    const map = memoryMap(bytes)
    for (let i = 1; i < map.length; i++) assert.ok(map[i]!.start >= map[i - 1]!.start + map[i - 1]!.size)
    const ranges = ramRanges(bytes)
    const end = ranges.at(-1)!.guestAddress + ranges.at(-1)!.size
    for (const entry of map.filter((e) => e.type === 1)) {
      assert.ok(entry.start + entry.size <= end)
      assert.ok(entry.start + entry.size <= PCI_MMIO.start || entry.start >= 4 * GIB)
    }
    const ram = map.filter((e) => e.type === 1).reduce((sum, e) => sum + e.size, 0)
    assert.equal(ram, bytes - (MIB - CONVENTIONAL_END))
  }
  assert.ok(ECAM.start >= PCI_MMIO.end)
})

test('boot data lies in conventional memory, apart from each other and from 0x1000–0x2fff', () => {
  const pieces: [number, number][] = [
    [BOOT.gdt, 64],
    [BOOT.pvhStartInfo, 56],
    [BOOT.pvhModules, 32],
    [BOOT.pvhMemoryMap, 24 * 128],
    [BOOT.zeroPage, 4096],
    [BOOT.pageTables, 4096 * 6],
    [BOOT.commandLine, BOOT.commandLineMax],
  ]
  pieces.sort((a, b) => a[0] - b[0])
  for (const [i, [start, size]] of pieces.entries()) {
    assert.ok(start + size <= (pieces[i + 1]?.[0] ?? CONVENTIONAL_END), `0x${start.toString(16)}`)
    assert.ok(start + size <= 0x1000 || start >= 0x3000)
  }
})
