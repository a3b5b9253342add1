import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseBusySeconds, processorTemperature } from './host-figures.ts'
import { parseProcess, processFigures } from './process-figures.ts'
import { figuresBetween, guestMemory, sumCounters } from './sampler.ts'

test('a process is read past a name with brackets and blanks', () => {
  const stat = `42 (a) b (c) S 1 42 42 0 -1 4194304 1 2 3 4 250 150 7 8 20 0 9 0 100 1000 50`
  assert.deepEqual(parseProcess(stat, '1000 256 10 1 0 100 0'), { cpuSeconds: 4, memoryBytes: 256 * 4096 })
})

test('of this very process memory and CPU time are found; of none nothing is', async () => {
  const own = await processFigures(process.pid)
  assert.ok(own && own.memoryBytes > 1_000_000 && own.cpuSeconds > 0)
  assert.equal(await processFigures(2 ** 30), null)
})

test('the time a box is busy: neither idle nor stolen time, and guests only once', () => {
  assert.equal(parseBusySeconds('cpu  100 50 150 9999 9999 25 75 9999 80 0\ncpu0 1 1 1 1\n'), 4)
})

test('the temperature is that of the processor, wherever its sensor is', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hearth-hwmon-'))
  t.after(() => rm(root, { recursive: true }))
  const sensor = async (folder: string, name: string, milli: string) => {
    await mkdir(join(root, folder))
    await writeFile(join(root, folder, 'name'), `${name}\n`)
    await writeFile(join(root, folder, 'temp1_input'), `${milli}\n`)
  }
  await sensor('hwmon0', 'nvme', '90000')
  assert.equal(await processorTemperature(root), null)
  await sensor('hwmon1', 'k10temp', '48250')
  assert.equal(await processorTemperature(root), 48.25)
  assert.equal(await processorTemperature(join(root, 'none')), null)
})

test('counters become rates; those that went back began anew', () => {
  const reading = (atMs: number, cpuSeconds: number, reads: number, rxBytes: number) => ({
    atMs,
    process: { cpuSeconds, memoryBytes: 5000 },
    guestMemoryBytes: 3000,
    io: sumCounters([
      { name: 'block', counters: { reads, readBytes: reads * 512 } },
      { name: 'block', counters: { reads, readBytes: reads * 512 } },
      { name: 'net', counters: { rxBytes, txPackets: 3 } },
      { name: 'rng', counters: { bytes: 77 } },
    ]),
  })
  const figures = figuresBetween(reading(1000, 10, 100, 900), reading(11_000, 25, 150, 400))
  assert.deepEqual(figures, {
    cpu: 1.5,
    memoryBytes: 5000,
    guestMemoryBytes: 3000,
    diskReadBytes: 5120,
    diskWriteBytes: 0,
    diskReads: 10,
    diskWrites: 0,
    netRxBytes: 40,
    netTxBytes: 0,
    netRxPackets: 0,
    netTxPackets: 0,
  })
})

test('what a guest uses is what it has less what it could give, and not known without its word', () => {
  const balloon = (statistics: Record<string, number>) => ({
    ...{ targetBytes: 0, actualBytes: 0, reportedBytes: 0 },
    statistics,
  })
  assert.equal(guestMemory(balloon({ total: 1000, available: 700, free: 200 }), 1000), 300)
  assert.equal(guestMemory(balloon({ total: 1000 }), 1000), null)
  // Hostile or just odd: neither below nothing nor above what it has.
  assert.equal(guestMemory(balloon({ total: 10, available: 700 }), 1000), 0)
  assert.equal(guestMemory(balloon({ total: 1e18, available: 0 }), 1000), 1000)
  assert.equal(guestMemory(undefined, 1000), null)
})
