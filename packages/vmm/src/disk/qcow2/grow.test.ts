import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { checkImage } from './check.ts'
import { createQcow2 } from './create.ts'
import { CLUSTER } from './format.ts'
import { growQcow2, growQcow2File } from './grow.ts'
import { checkQcow2, openQcow2, openQcow2File, readHeader } from './open.ts'
import { MemoryFile, RecordingFile } from './testing/files.ts'
import { GuestBuffer, qemuCheck, qemuImg, Random, temporaryFolder } from './testing/support.ts'

const MIB = 2 ** 20
const TIB = 2 ** 40

describe('growing a qcow2 image', () => {
  let folder = ''
  const guest = new GuestBuffer(MIB, new Random(5))
  before(() => {
    folder = temporaryFolder()
  })
  after(() => {
    guest.close()
    fs.rmSync(folder, { recursive: true })
  })

  for (const { name, from, to } of [
    { name: 'within its L2 table', from: 5 * MIB + 512, to: 64 * MIB },
    { name: 'with more L1 entries in the same cluster', from: 64 * MIB, to: 5 * 512 * MIB },
    { name: 'with an L1 table in new clusters', from: 64 * MIB, to: 13 * TIB },
  ]) {
    it(name, () => {
      const file = path.join(folder, 'grow.qcow2')
      createQcow2({ path: file, size: from })
      let image = openQcow2(file)
      guest.write(image, from - 1024, new Uint8Array(1024).fill(1))
      image.close()
      growQcow2(file, to)
      assert.deepEqual(
        { ...checkQcow2(file), allocatedClusters: 0 },
        { leaks: 0, corruptions: 0, messages: [], allocatedClusters: 0 },
      )
      qemuCheck(file)
      image = openQcow2(file)
      assert.equal(image.size, to)
      assert.deepEqual(guest.read(image, from - 1024, 4096), new Uint8Array(4096).fill(1, 0, 1024))
      guest.write(image, to - 512, new Uint8Array(512).fill(2))
      image.close()
      qemuCheck(file)
      assert.throws(() => growQcow2(file, from), /only grows/)
      assert.throws(() => growQcow2(file, 17 * TIB), /16 TiB/)
      fs.rmSync(file)
    })
  }

  it('does not uncover what a longer backing file holds there', () => {
    const raw = path.join(folder, 'base.raw')
    fs.writeFileSync(raw, new Uint8Array(4 * MIB).fill(7))
    const file = path.join(folder, 'overlay.qcow2')
    const size = MIB + 1024
    createQcow2({ path: file, size, backing: { path: 'base.raw', format: 'raw' } })
    let image = openQcow2(file)
    guest.write(image, MIB, new Uint8Array(512).fill(1))
    image.close()
    growQcow2(file, 8 * MIB)
    image = openQcow2(file)
    const expected = new Uint8Array(MIB)
    expected.fill(1, 0, 512).fill(7, 512, 1024)
    assert.deepEqual(guest.read(image, MIB, MIB), expected)
    assert.deepEqual(guest.read(image, 0, MIB), new Uint8Array(MIB).fill(7))
    for (let at = 2 * MIB; at < 8 * MIB; at += MIB)
      assert.deepEqual(guest.read(image, at, MIB), new Uint8Array(MIB))
    image.close()
    qemuCheck(file)
  })

  it('has the old size or the new one after a crash at any moment', () => {
    const file = path.join(folder, 'crash.qcow2')
    createQcow2({ path: file, size: 64 * MIB })
    const image = openQcow2(file)
    guest.write(image, 0, new Uint8Array(CLUSTER).fill(1))
    image.close()
    const recording = new RecordingFile(MemoryFile.load(file))
    growQcow2File(recording, 'recorded', 13 * TIB, null)
    const random = new Random(11)
    const sizes = new Set<number>()
    for (let at = 0; at <= recording.events.length; at++) {
      for (let turn = 0; turn < 4; turn++) {
        const state = recording.powerLostAt(at, random)
        const header = readHeader(state, 'crashed')
        sizes.add(header.size)
        const report = checkImage(state, header, 'crashed', false)
        assert.deepEqual(report.messages, [], `at ${at}`)
        if (report.leaks > 0) assert.ok(header.dirty)
        const again = openQcow2File(state, 'crashed')
        assert.deepEqual(guest.read(again, 0, CLUSTER), new Uint8Array(CLUSTER).fill(1))
        again.close()
      }
    }
    assert.deepEqual([...sizes].sort(), [64 * MIB, 13 * TIB].sort())
  })

  it('grows what qemu-img made, and qemu-img grows what we made', () => {
    const theirs = path.join(folder, 'theirs.qcow2')
    qemuImg(['create', '-q', '-f', 'qcow2', theirs, '1G'])
    growQcow2(theirs, 6 * 512 * MIB)
    qemuCheck(theirs)
    const ours = path.join(folder, 'ours.qcow2')
    createQcow2({ path: ours, size: 512 * MIB })
    qemuImg(['resize', '-q', '-f', 'qcow2', ours, '5T'])
    const image = openQcow2(ours)
    assert.equal(image.size, 5 * TIB)
    guest.write(image, 5 * TIB - 512, new Uint8Array(512).fill(1))
    image.close()
    qemuCheck(ours)
  })
})
