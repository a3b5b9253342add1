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
import {
  DISK,
  History,
  nextOperation,
  offsetOf,
  perform,
  readValues,
  SECTOR,
  stamp,
  verify,
  ZONE_CLUSTERS,
  ZONE_SECTORS,
  ZONES,
} from './testing/crash-model.ts'
import { MemoryFile, RecordingFile } from './testing/files.ts'
import { GuestBuffer, qemuCheck, Random, temporaryFolder } from './testing/support.ts'

/** Random operations over the zones, with their place in the recorded events. */
function run(
  file: RecordingFile,
  image: Qcow2Image,
  history: History,
  guest: GuestBuffer,
  random: Random,
): void {
  for (let i = 0; i < 40; i++) {
    // An event of its own for every operation: what happens later is after it.
    const began = file.events.push({ kind: 'punch', offset: 0, length: 0 }) - 1
    const operation = nextOperation(random, 1_000_000 + began)
    history.begin(operation, began)
    perform(image, guest, operation)
    if (operation.kind === 'flush') history.flushed(began, file.events.length)
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
          history.flushed(began, file.events.length)
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
          verify(readValues(again, guest), history, at, what)
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
