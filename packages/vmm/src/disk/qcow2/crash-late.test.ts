import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { RawBacking } from './backing.ts'
import { checkImage } from './check.ts'
import { createQcow2 } from './create.ts'
import { Qcow2Disk } from './disk.ts'
import { CLUSTER } from './format.ts'
import { openQcow2File, readHeader } from './open.ts'
import {
  baseImage,
  baseValue,
  DISK,
  History,
  nextOperation,
  type Operation,
  overlap,
  readValues,
  request,
  SECTOR,
  verify,
  ZONE_CLUSTERS,
  ZONE_SECTORS,
} from './testing/crash-model.ts'
import { LateFile, MemoryFile } from './testing/files.ts'
import { GuestBuffer, qemuCheck, Random, temporaryFolder } from './testing/support.ts'

const MOST_AT_ONCE = 6
const unused = (): never => assert.fail('a file of the test has no descriptor')
const noLoop = { onReadable: unused, onWritable: unused, after: unused }

/** As `crash.test.ts`, but many requests are under way at once, and what they ask of the file ends in any order. */
describe('a qcow2 disk that crashes with requests under way', () => {
  let folder = ''
  let empty: MemoryFile
  const buffers = Array.from({ length: MOST_AT_ONCE }, () => new NativeBuffer(ZONE_SECTORS * SECTOR))
  before(() => {
    folder = temporaryFolder()
    const file = path.join(folder, 'empty.qcow2')
    createQcow2({ path: file, size: DISK })
    empty = MemoryFile.load(file)
  })
  after(() => {
    for (const buffer of buffers) buffer.free()
    fs.rmSync(folder, { recursive: true })
  })

  /** Random requests, as many as `operations`, over `file`; some of the requests, or none, are still under way at the end. */
  function run(
    file: LateFile,
    random: Random,
    history: History,
    options: { operations: number; l2Pages: number; overBase: boolean },
  ): void {
    const image = openQcow2File(
      file,
      'late',
      options.overBase ? new RawBacking(baseImage()) : null,
      options.l2Pages,
    )
    const disk = new Qcow2Disk(image, [file], (message) => assert.fail(message))
    const underWay = new Map<number, { operation: Operation; began: number; ended: (at: number) => void }>()
    disk.start(noLoop, {
      completed(tag, errno) {
        assert.equal(errno, 0)
        const { operation, began, ended } = underWay.get(tag)!
        underWay.delete(tag)
        ended(file.events.length)
        if (operation.kind === 'flush') history.flushed(began, file.events.length)
      },
      batchEnded() {},
    })
    for (let i = 0; i < options.operations; i++) {
      // An event of its own for every request: what happens later is after it.
      const began = file.events.push({ kind: 'punch', offset: 0, length: 0 }) - 1
      const operation = nextOperation(random, 1_000_000 + began)
      const busy = () => [...underWay.values()].some((other) => overlap(other.operation, operation))
      while (underWay.size === MOST_AT_ONCE || busy()) file.wait()
      const tag = [...buffers.keys()].find((free) => !underWay.has(free))!
      underWay.set(tag, { operation, began, ended: history.beginLate(operation, began) })
      request(disk, tag, operation, buffers[tag]!)
      while (file.inFlight > 0 && random.chance(60)) file.wait()
    }
  }

  const scenarios = [
    { name: 'all metadata in the cache', l2Pages: 64, overBase: false },
    { name: 'a cache of one page', l2Pages: 1, overBase: false },
    { name: 'over a backing file', l2Pages: 2, overBase: true },
  ]
  for (const [number, { name, l2Pages, overBase }] of scenarios.entries()) {
    it(`${name}: nothing flushed is lost, nothing is corrupt`, () => {
      let states = 0
      for (let seed = 1; seed <= 12; seed++) {
        const random = new Random(7000 + number * 1000 + seed)
        const guest = new GuestBuffer(ZONE_CLUSTERS * CLUSTER, random)
        const file = new LateFile(empty, random)
        const history = new History(overBase ? baseValue : () => 0)
        run(file, random, history, { operations: 60, l2Pages, overBase })
        const syncs = file.events.flatMap((event, at) => (event.kind === 'sync' ? [at] : []))
        // The moments around a sync are when most is at stake.
        const points = Array.from({ length: 18 }, (_, i) =>
          i % 3 === 0
            ? random.below(file.events.length + 1)
            : syncs[random.below(syncs.length)]! + (i % 3 === 1 ? 0 : 1),
        ).sort((a, b) => a - b)
        for (const at of points) {
          const killed = random.chance(25)
          const state = killed ? file.killedAt(at, random) : file.powerLostAt(at, random)
          const what = `seed ${seed}, ${killed ? 'killed' : 'power lost'} at event ${at} of ${file.events.length}`
          const header = readHeader(state, what)
          const report = checkImage(state, header, what, false)
          assert.deepEqual(report.messages, [], what)
          if (report.leaks > 0) assert.ok(header.dirty, `${what}: leaks, and nothing tells the next open`)
          if (states++ % 40 === 0) {
            const sample = path.join(folder, 'sample.qcow2')
            state.save(sample)
            qemuCheck(sample, true)
          }
          const again = openQcow2File(state, what, overBase ? new RawBacking(baseImage()) : null)
          verify(readValues(again, guest), history, at, what)
          again.close()
          const { leaks, messages } = checkImage(state, readHeader(state, what), what, false)
          assert.deepEqual({ leaks, messages }, { leaks: 0, messages: [] }, what)
        }
        guest.close()
      }
      assert.ok(states > 200)
    })
  }
})
