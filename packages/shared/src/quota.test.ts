import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  creationDemand,
  type Demand,
  formatAmount,
  limitFor,
  type QuotaLine,
  quotaResources,
  shortfalls,
} from './quota.ts'
import { GIB } from './units.ts'

const vm = { cpus: 2, memoryBytes: 4 * GIB, diskBytes: 20 * GIB }

test('a VM that does not start takes no vCPU and no memory', () => {
  assert.deepEqual(creationDemand(vm, false), {
    vms: 1,
    disk: 20 * GIB,
    vm_vcpus: 2,
    vm_memory: 4 * GIB,
    vm_disk: 20 * GIB,
  })
  assert.equal(creationDemand(vm, true).vcpus, 2)
  assert.equal(creationDemand({ ...vm, diskBytes: null }, true).disk, 0)
})

test('a shortfall tells what is left and the limit that would do', () => {
  const lines: QuotaLine[] = [
    { key: 'vcpus', used: 7, limit: 8 },
    { key: 'memory', used: 0, limit: null },
    { key: 'disk', used: 30 * GIB, limit: 20 * GIB },
  ]
  const found = shortfalls(lines, creationDemand(vm, true))
  assert.deepEqual(
    found.map(({ key, left }) => [key, left]),
    [
      ['vcpus', 1],
      ['disk', 0],
    ],
  )
  assert.deepEqual(found.map(limitFor), [9, 50 * GIB])
  assert.equal(formatAmount('memory', 1.5 * GIB), '1.5 GiB')
})

test('with the limit a shortfall asks for, the same demand fits; nothing smaller does', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % below
  }
  for (let round = 0; round < 2000; round++) {
    const lines = quotaResources.map((key) => ({ key, used: random(50), limit: random(50) }))
    const demand: Demand = Object.fromEntries(quotaResources.map((key) => [key, random(20)]))
    for (const short of shortfalls(lines, demand)) {
      const raised = (limit: number) =>
        shortfalls([{ key: short.key, used: short.used, limit }], demand).length
      assert.equal(raised(limitFor(short)), 0)
      assert.equal(raised(limitFor(short) - 1), 1)
    }
  }
})
