import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Backing, RawBacking } from './backing.ts'
import { checkImage } from './check.ts'
import { createQcow2 } from './create.ts'
import { BLOCK_ENTRIES, CLUSTER } from './format.ts'
import type { Qcow2Image } from './image.ts'
import { openQcow2File, readHeader } from './open.ts'
import { GuestBuffer, MemoryFile, qemuCheck, Random, RecordingFile, temporaryFolder } from './testing.ts'

const SECTOR = 512
const ZONE_CLUSTERS = 12
const ZONE_SECTORS = (ZONE_CLUSTERS * CLUSTER) / SECTOR
/**
 * Where the tests write, in clusters: the start, across two pages of an L2 table, across two L2 tables, and a far
 * table of its own. Everything else stays empty, which keeps the images small.
 */
const ZONES = [0, 512 - 6, 8192 - 6, 3 * 8192 + 100]
const DISK = (3 * 8192 + 100 + ZONE_CLUSTERS) * CLUSTER

/**
 * What each sector may hold after a crash: what it held at the last flush that ended before it, or anything
 * written to it since. Values are numbers; 0 is a sector of zeroes, `stamp` makes the bytes of the others.
 */
class History {
  /** [event the operation began at, value] per sector, in order. */
  readonly sectors: { from: number; value: number }[][]
  /** [events when it began, when it ended] of each flush. */
  readonly flushes: { began: number; ended: number }[] = [{ began: 0, ended: 0 }]

  constructor(initial: (index: number) => number) {
    this.sectors = Array.from({ length: ZONES.length * ZONE_SECTORS }, (_, i) => [
      { from: -1, value: initial(i) },
    ])
  }

  set(first: number, count: number, from: number, value: number): void {
    for (let i = first; i < first + count; i++) this.sectors[i]!.push({ from, value })
  }

  allowed(index: number, at: number): Set<number> {
    let durable = -1
    for (const flush of this.flushes) if (flush.ended <= at) durable = flush.began
    const values = new Set<number>()
    for (const { from, value } of this.sectors[index]!) {
      // Operations of one event number happened before the flush that began at it; see `run`.
      if (from < durable) values.clear()
      if (from < at) values.add(value)
    }
    return values
  }
}

const offsetOf = (index: number): number =>
  ZONES[Math.floor(index / ZONE_SECTORS)]! * CLUSTER + (index % ZONE_SECTORS) * SECTOR

function stamp(target: Uint32Array, at: number, value: number): void {
  target.fill(value, at, at + SECTOR / 4)
}

/** The value of a sector; -1 when it is a mixture, which no legal crash can make. */
function sectorValue(words: Uint32Array, at: number): number {
  const value = words[at]!
  for (let i = at + 1; i < at + SECTOR / 4; i++) if (words[i] !== value) return -1
  return value
}

/** Random operations over the zones, with their place in the recorded events. */
function run(
  file: RecordingFile,
  image: Qcow2Image,
  history: History,
  guest: GuestBuffer,
  random: Random,
): void {
  // An event of its own for every operation: what happens later is after it.
  const mark = () => file.events.push({ kind: 'punch', offset: 0, length: 0 }) - 1
  for (let i = 0; i < 40; i++) {
    const zone = random.below(ZONES.length)
    const at = random.below(ZONE_SECTORS)
    const length = 1 + random.below(Math.min(ZONE_SECTORS - at, random.chance(60) ? 24 : 3 * 128))
    const first = zone * ZONE_SECTORS + at
    const what = random.below(100)
    const from = mark()
    if (what < 55) {
      const value = 1_000_000 + from * 16 + 1
      const words = new Uint32Array((length * SECTOR) / 4)
      stamp(words.fill(value), 0, value)
      history.set(first, length, from, value)
      guest.write(image, offsetOf(first), new Uint8Array(words.buffer))
    } else if (what < 67) {
      const start = Math.ceil(first / 128) * 128
      const end = Math.floor((first + length) / 128) * 128
      if (start < end) history.set(start, end - start, from, 0)
      image.discard(offsetOf(first), length * SECTOR)
    } else if (what < 82) {
      history.set(first, length, from, 0)
      image.writeZeroes(offsetOf(first), length * SECTOR, random.chance(50))
    } else {
      image.flush()
      history.flushes.push({ began: from, ended: file.events.length })
    }
  }
}

function verify(image: Qcow2Image, guest: GuestBuffer, history: History, at: number, what: string): void {
  for (let zone = 0; zone < ZONES.length; zone++) {
    const bytes = guest.read(image, ZONES[zone]! * CLUSTER, ZONE_CLUSTERS * CLUSTER)
    const words = new Uint32Array(bytes.buffer)
    for (let i = 0; i < ZONE_SECTORS; i++) {
      const index = zone * ZONE_SECTORS + i
      const value = sectorValue(words, (i * SECTOR) / 4)
      const allowed = history.allowed(index, at)
      if (!allowed.has(value)) {
        assert.fail(`${what}: sector ${index} holds ${value}, allowed are ${[...allowed].join(', ')}`)
      }
    }
  }
}

describe('a qcow2 image after a crash', () => {
  let folder = ''
  let empty: MemoryFile
  before(() => {
    folder = temporaryFolder()
    const file = path.join(folder, 'empty.qcow2')
    createQcow2({ path: file, size: DISK })
    empty = MemoryFile.load(file)
  })
  after(() => {
    fs.rmSync(folder, { recursive: true })
  })

  /** As `empty`, but the first refcount block has only few free clusters: the next ones need a new block, 2 GiB further on. */
  const nearlyFull = () => {
    const file = empty.clone()
    const counts = new DataView(new ArrayBuffer(CLUSTER))
    const leave = 12 + 5
    for (let i = 0; i < BLOCK_ENTRIES; i++) counts.setUint16(i * 2, i < 4 || i >= leave ? 1 : 0)
    file.put(2 * CLUSTER, new Uint8Array(counts.buffer))
    return file
  }

  const base = () => {
    const file = new MemoryFile(true)
    const words = new Uint32Array((ZONE_CLUSTERS * CLUSTER) / 4)
    for (const [zone, cluster] of ZONES.entries()) {
      for (let i = 0; i < ZONE_SECTORS; i++)
        stamp(words, (i * SECTOR) / 4, baseValue(zone * ZONE_SECTORS + i))
      file.put(cluster * CLUSTER, new Uint8Array(words.buffer))
    }
    return file
  }
  // Some of it is zero, as base images are.
  const baseValue = (index: number) => (Math.floor(index / 16) % 3 === 0 ? 0 : 1 + index)

  const scenarios: {
    name: string
    start: () => MemoryFile
    backing: (() => Backing) | null
    l2Pages: number
    seeds: number
  }[] = [
    { name: 'all metadata in the cache', start: () => empty, backing: null, l2Pages: 64, seeds: 10 },
    { name: 'a cache of one page', start: () => empty, backing: null, l2Pages: 1, seeds: 10 },
    { name: 'a new refcount block', start: nearlyFull, backing: null, l2Pages: 2, seeds: 8 },
    {
      name: 'over a backing file',
      start: () => empty,
      backing: () => new RawBacking(base()),
      l2Pages: 2,
      seeds: 10,
    },
  ]
  for (const [number, { name, start, backing, l2Pages, seeds }] of scenarios.entries()) {
    it(`${name}: nothing flushed is lost, nothing is corrupt`, () => {
      let states = 0
      for (let seed = 1; seed <= seeds; seed++) {
        const random = new Random(number * 1000 + seed)
        const initial = start()
        const initialLeaks = checkImage(initial, readHeader(initial, name), name, false).leaks
        const guest = new GuestBuffer(ZONE_CLUSTERS * CLUSTER, random)
        const file = new RecordingFile(initial)
        const image = openQcow2File(file, 'recorded', backing?.() ?? null, l2Pages)
        const history = new History(backing ? baseValue : () => 0)
        run(file, image, history, guest, random)
        if (random.chance(30)) {
          const began = file.events.length
          image.close()
          history.flushes.push({ began, ended: file.events.length })
        } else image.abandon()

        // The moment before a sync is when most is at stake.
        const syncs = file.events.flatMap((event, at) => (event.kind === 'sync' ? [at] : []))
        const points = Array.from({ length: 16 }, () =>
          random.chance(65) ? syncs[random.below(syncs.length)]! : random.below(file.events.length + 1),
        ).sort((a, b) => a - b)
        for (const at of points) {
          const killed = random.chance(25)
          const state = killed ? file.killedAt(at) : file.powerLostAt(at, random)
          const what = `seed ${seed}, ${killed ? 'killed' : 'power lost'} at event ${at} of ${file.events.length}`
          const header = readHeader(state, what)
          const report = checkImage(state, header, what, false)
          assert.deepEqual(report.messages, [], what)
          if (report.leaks > initialLeaks)
            assert.ok(header.dirty, `${what}: leaks, and nothing tells the next open`)
          if (states % 25 === 0) {
            const sample = path.join(folder, 'sample.qcow2')
            state.save(sample)
            qemuCheck(sample, true)
          }
          states++

          const again = openQcow2File(state, what, backing?.() ?? null)
          verify(again, guest, history, at, what)
          guest.write(again, offsetOf(0), new Uint8Array(3 * CLUSTER).fill(1))
          again.close()
          const repaired = checkImage(state, readHeader(state, what), what, false)
          const { leaks, messages } = repaired
          assert.deepEqual(
            { leaks, messages },
            { leaks: header.dirty ? 0 : initialLeaks, messages: [] },
            what,
          )
        }
        guest.close()
      }
    })
  }
})
