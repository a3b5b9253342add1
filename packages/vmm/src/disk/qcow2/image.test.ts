import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createQcow2 } from './create.ts'
import { CLUSTER } from './format.ts'
import type { Qcow2Image } from './image.ts'
import { checkQcow2, openQcow2 } from './open.ts'
import { GuestBuffer, qemuCheck, qemuImg, Random, temporaryFolder } from './testing/support.ts'

const MAX_REQUEST = 5 * CLUSTER

/** A disk that is nothing but its bytes. */
class Model {
  readonly bytes: Uint8Array
  constructor(size: number, base: Uint8Array | null) {
    this.bytes = new Uint8Array(size)
    if (base) this.bytes.set(base.subarray(0, size))
  }
  discard(offset: number, length: number): void {
    const end =
      offset + length === this.bytes.length
        ? this.bytes.length
        : Math.floor((offset + length) / CLUSTER) * CLUSTER
    const start = Math.ceil(offset / CLUSTER) * CLUSTER
    if (start < end) this.bytes.fill(0, start, end)
  }
}

/** Does `count` random things to image and model alike. */
function exercise(image: Qcow2Image, model: Model, guest: GuestBuffer, random: Random, count: number): void {
  const sectors = model.bytes.length / 512
  for (let i = 0; i < count; i++) {
    // Half of the requests fall on few clusters, so that these see every transition.
    const at = random.chance(50) ? random.below(Math.min(sectors, 1024)) : random.below(sectors)
    const length =
      Math.min(random.chance(50) ? 1 + random.below(16) : 1 + random.below(MAX_REQUEST / 512), sectors - at) *
      512
    const offset = at * 512
    const what = random.below(100)
    if (what < 45) {
      const data = new Uint8Array(length)
      const words = new Uint32Array(data.buffer)
      for (let w = 0; w < words.length; w += 8) words[w] = random.next()
      guest.write(image, offset, data)
      model.bytes.set(data, offset)
    } else if (what < 75) {
      assert.deepEqual(
        Buffer.compare(guest.read(image, offset, length), model.bytes.subarray(offset, offset + length)),
        0,
        `read ${offset}+${length} in step ${i}`,
      )
    } else if (what < 85) {
      image.discard(offset, length)
      model.discard(offset, length)
    } else if (what < 95) {
      image.writeZeroes(offset, length, random.chance(50))
      model.bytes.fill(0, offset, offset + length)
    } else image.flush()
  }
}

function wholeDisk(image: Qcow2Image, guest: GuestBuffer): Uint8Array {
  const all = new Uint8Array(image.size)
  for (let at = 0; at < image.size; at += MAX_REQUEST) {
    all.set(guest.read(image, at, Math.min(MAX_REQUEST, image.size - at)), at)
  }
  return all
}

describe('a qcow2 image against a model', () => {
  let folder = ''
  before(() => {
    folder = temporaryFolder()
  })
  after(() => {
    fs.rmSync(folder, { recursive: true })
  })

  const cases = [
    { name: 'plain', size: 64 * 2 ** 20, backing: null, l2Pages: 1024 },
    { name: 'plain with a ragged end', size: 70 * 2 ** 20 + 7 * 512, backing: null, l2Pages: 1 },
    {
      name: 'over a raw file',
      size: 48 * 2 ** 20,
      backing: { format: 'raw', size: 48 * 2 ** 20 },
      l2Pages: 2,
    },
    {
      name: 'over a shorter raw file',
      size: 40 * 2 ** 20,
      backing: { format: 'raw', size: 9 * 2 ** 20 + 512 },
      l2Pages: 1,
    },
    {
      name: 'over a longer qcow2',
      size: 33 * 2 ** 20 + 512,
      backing: { format: 'qcow2', size: 50 * 2 ** 20 },
      l2Pages: 1,
    },
  ] as const
  for (const [index, { name, size, backing, l2Pages }] of cases.entries()) {
    it(name, () => {
      const random = new Random(100 + index)
      const guest = new GuestBuffer(MAX_REQUEST, random)
      const file = path.join(folder, `${index}.qcow2`)
      const raw = path.join(folder, `${index}.raw`)
      let base: Uint8Array | null = null
      if (backing) {
        base = new Uint8Array(backing.size)
        // Data and holes alternate, so that copying around a write meets both.
        for (let at = 0; at < base.length; at += 7 * 4096) base.fill(1 + random.below(255), at, at + 3 * 4096)
        fs.writeFileSync(raw, base)
        const backingFile = backing.format === 'raw' ? raw : path.join(folder, `${index}.base`)
        if (backing.format === 'qcow2') qemuImg(['convert', '-f', 'raw', '-O', 'qcow2', raw, backingFile])
        createQcow2({
          path: file,
          size,
          backing: { path: path.basename(backingFile), format: backing.format },
        })
      } else createQcow2({ path: file, size })
      const model = new Model(size, base)

      for (let round = 0; round < 4; round++) {
        const image = openQcow2(file, { l2Pages })
        exercise(image, model, guest, random, 150)
        assert.equal(Buffer.compare(wholeDisk(image, guest), model.bytes), 0, `whole disk in round ${round}`)
        image.close()
        assert.deepEqual(pick(checkQcow2(file)), { leaks: 0, corruptions: 0 })
        qemuCheck(file)
      }
      const expected = path.join(folder, `${index}.expected`)
      fs.writeFileSync(expected, model.bytes)
      qemuImg(['compare', '-q', '-f', 'qcow2', '-F', 'raw', file, expected])
      const readOnly = openQcow2(file, { readOnly: true })
      assert.equal(Buffer.compare(wholeDisk(readOnly, guest), model.bytes), 0)
      assert.throws(() => readOnly.discard(0, size), /reading only/)
      readOnly.close()
      for (const each of fs.readdirSync(folder)) fs.rmSync(path.join(folder, each))
      guest.close()
    })
  }
})

const pick = ({ leaks, corruptions }: { leaks: number; corruptions: number }) => ({ leaks, corruptions })
