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
  baseImage,
  baseValue,
  DISK,
  History,
  nextOperation,
  offsetOf,
  perform,
  readValues,
  verify,
  ZONE_CLUSTERS,
} from './testing/crash-model.ts'
import { Killed, MemoryFile, RecordingFile } from './testing/files.ts'
import { GuestBuffer, qemuCheck, Random, temporaryFolder } from './testing/support.ts'

/** Random operations over the zones, with their place in the recorded events. Returns whether the file killed it. */
function run(
  file: RecordingFile,
  image: Qcow2Image,
  history: History,
  guest: GuestBuffer,
  random: Random,
): boolean {
  for (let i = 0; i < 40; i++) {
    // An event of its own for every operation: what happens later is after it.
    const began = file.events.push({ kind: 'punch', offset: 0, length: 0 }) - 1
    const operation = nextOperation(random, 1_000_000 + began)
    history.begin(operation, began)
    try {
      perform(image, guest, operation)
    } catch (error) {
      if (error instanceof Killed) return true
      throw error
    }
    if (operation.kind === 'flush') history.flushed(began, file.events.length)
  }
  return false
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

  describe('killed first, without power later', () => {
    const guest = new GuestBuffer(CLUSTER, new Random(2))
    after(() => guest.close())
    const cluster = (value: number) => new Uint8Array(CLUSTER).fill(value)

    it('a repair frees nothing that the power cut could bring back', () => {
      const random = new Random(31)
      const file = new RecordingFile(empty)
      const image = openQcow2File(file, 'first')
      guest.write(image, 0, cluster(1))
      guest.write(image, CLUSTER, cluster(2))
      image.flush()
      image.discard(0, CLUSTER)
      // Dies when the cleared entry is written, and not yet durable.
      file.syncsToLive = 1
      assert.throws(() => image.flush(), Killed)
      file.syncsToLive = Number.POSITIVE_INFINITY
      const restart = file.events.length
      const second = openQcow2File(file, 'second')
      guest.write(second, 2 * CLUSTER, cluster(3))
      second.close()
      for (let at = restart; at <= file.events.length; at++) {
        for (let turn = 0; turn < 20; turn++) {
          const state = file.powerLostAt(at, random)
          assert.deepEqual(
            checkImage(state, readHeader(state, ''), 'image', false).messages,
            [],
            `at ${at - restart}`,
          )
          const third = openQcow2File(state, 'third')
          assert.deepEqual(guest.read(third, CLUSTER, CLUSTER), cluster(2))
          third.close()
        }
      }
    })

    it('a flush is also for what the one before had written, and the next one read', () => {
      const file = new RecordingFile(empty)
      const image = openQcow2File(file, 'first')
      guest.write(image, 0, cluster(1))
      image.close()
      const second = openQcow2File(file, 'second')
      guest.write(second, 0, cluster(2))
      second.abandon()
      const third = openQcow2File(file, 'third')
      assert.deepEqual(guest.read(third, 0, CLUSTER), cluster(2))
      third.flush()
      for (let turn = 0; turn < 10; turn++) {
        const fourth = openQcow2File(file.powerLostAt(file.events.length, new Random(turn)), 'fourth')
        assert.deepEqual(guest.read(fourth, 0, CLUSTER), cluster(2))
      }
    })
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
      backing: () => new RawBacking(baseImage()),
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
        const history = new History(backing ? baseValue : () => 0)
        // The process may be killed and started again, on a file of which not everything is durable yet.
        let restart = 0
        for (let life = random.chance(60) ? 2 : 1; life > 0; life--) {
          const image = openQcow2File(file, 'recorded', backing?.() ?? null, l2Pages)
          history.observe(readValues(image, guest), file.events.length)
          if (life === 2 && random.chance(50)) file.killAt = file.events.length + 20 + random.below(100)
          else if (life === 2) file.syncsToLive = 5 + random.below(20)
          const killed = run(file, image, history, guest, random)
          file.killAt = Number.POSITIVE_INFINITY
          file.syncsToLive = Number.POSITIVE_INFINITY
          if (life === 2) restart = file.events.length
          if (!killed && random.chance(20)) {
            const began = file.events.length
            image.close()
            history.flushed(began, file.events.length)
          } else image.abandon()
        }

        // The moment before a sync is when most is at stake.
        const syncs = file.events.flatMap((event, at) => (event.kind === 'sync' ? [at] : []))
        const points = Array.from({ length: 16 }, (_, i) =>
          i % 3 === 0
            ? random.below(file.events.length + 1)
            : i % 3 === 1 && restart > 0
              ? Math.min(restart + random.below(12), file.events.length)
              : syncs[random.below(syncs.length)]!,
        ).sort((a, b) => a - b)
        for (const at of points) {
          const killed = random.chance(25)
          const state = killed ? file.killedAt(at, random) : file.powerLostAt(at, random)
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
