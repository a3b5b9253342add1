import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MP_TABLE, memoryMap } from '../machine/layout.ts'
import { buildMpTable } from './mp-table.ts'

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0)
const LENGTHS = [20, 8, 8, 8, 8]

/** The entries by their type, as a guest walks them. */
function walk(cpus: number) {
  const bytes = Buffer.from(buildMpTable(cpus))
  assert.equal(bytes.toString('latin1', 0, 4), '_MP_')
  assert.equal(sum(bytes.subarray(0, 16)), 0)
  const at = bytes.readUInt32LE(4) - MP_TABLE.start
  assert.equal(bytes.toString('latin1', at, at + 4), 'PCMP')
  const table = bytes.subarray(at, at + bytes.readUInt16LE(at + 4))
  assert.equal(sum(table), 0)
  assert.equal(at + table.length, bytes.length)
  const entries: Buffer[] = []
  for (let next = 44; next < table.length; next += LENGTHS[table[next]!]!) {
    entries.push(table.subarray(next, next + LENGTHS[table[next]!]!))
  }
  assert.equal(entries.length, table.readUInt16LE(34))
  // 4.3: entries are sorted by type.
  const types = entries.map(([type]) => type!)
  assert.deepEqual(
    types,
    [...types].sort((a, b) => a - b),
  )
  return { table, of: (type: number) => entries.filter((entry) => entry[0] === type) }
}

test('a guest without ACPI finds every processor, the first one first, and the IOAPIC behind them', () => {
  const { table, of } = walk(32)
  assert.equal(table.readUInt32LE(36), 0xfee0_0000)
  const processors = of(0)
  assert.deepEqual(
    processors.map((entry) => entry[1]),
    Array.from({ length: 32 }, (_, cpu) => cpu),
  )
  assert.deepEqual(
    processors.map((entry) => entry[3]),
    [3, ...new Array(31).fill(1)],
  )
  const [ioapic] = of(2)
  assert.deepEqual([ioapic![1], ioapic!.readUInt32LE(4)], [32, 0xfec0_0000])
})

test('interrupt lines lead to the pins that ACPI names too', () => {
  const { of } = walk(1)
  const names = of(1).map((entry) => entry.toString('latin1', 2).trim())
  assert.deepEqual(names, ['PCI', 'ISA'])
  const isa = of(3).filter((entry) => entry[4] === 1)
  const pinOf = (line: number): number | undefined => isa.find((entry) => entry[5] === line)?.[7]
  assert.deepEqual([pinOf(0), pinOf(1), pinOf(2), pinOf(4)], [2, 1, undefined, 4])
  assert.equal(isa.find((entry) => entry[5] === 9)?.readUInt16LE(2), 0xd)
  const pci = of(3).filter((entry) => entry[4] === 0)
  assert.equal(pci.length, 32)
  assert.deepEqual([pci[10]![5], pci[10]![7]], [10 << 2, 16 + (10 & 7)])
  assert.deepEqual(
    of(4).map((entry) => [entry[1], entry[7]]),
    [
      [3, 0],
      [1, 1],
    ],
  )
})

test('it lies where the memory map says that nothing else does', () => {
  const reserved = memoryMap(64 << 20).find(
    ({ start, size }) => MP_TABLE.start >= start && MP_TABLE.end <= start + size,
  )
  assert.equal(reserved?.type, 2)
})
