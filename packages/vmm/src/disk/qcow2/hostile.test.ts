import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SystemError } from '../../sys/libc.ts'
import { RawBacking } from './backing.ts'
import { checkImage } from './check.ts'
import { createQcow2 } from './create.ts'
import { Qcow2Error } from './errors.ts'
import { CLUSTER, MAX_REFCOUNT_TABLE_CLUSTERS } from './format.ts'
import type { Qcow2Image } from './image.ts'
import { openQcow2, openQcow2File, readHeader } from './open.ts'
import { MemoryFile } from './testing/files.ts'
import { GuestBuffer, Random, temporaryFolder } from './testing/support.ts'

const MUTANTS = 2000
const MIB = 2 ** 20
const MARK = 0xee

/** Remembers the largest piece asked for, which is what the engine allocated for it. */
class WatchedFile extends MemoryFile {
  largestRead = 0
  static of(file: MemoryFile): WatchedFile {
    const watched = new WatchedFile()
    watched.share(file)
    return watched
  }
  override read(offset: number, target: Uint8Array): void {
    this.largestRead = Math.max(this.largestRead, target.length)
    super.read(offset, target)
  }
}

/** Damages one field of the image: of its header, or of a table. */
function mutate(file: MemoryFile, random: Random, tables: readonly number[]): void {
  const values = [
    0, 1, 2, 3, 0x10000, 0x20000, 0x30000, 0x50000, 0x7fffffff, 0x80000000, 0xffff0000, 0xffffffff,
  ]
  const width = [1, 2, 4, 8][random.below(4)]!
  const field = new Uint8Array(width)
  const at = random.chance(40)
    ? random.below(30) * 4
    : // The beginnings of tables, where their entries are.
      tables[random.below(tables.length)]! + random.below(40) * 8
  file.read(at, field)
  const view = new DataView(field.buffer)
  const how = random.below(4)
  if (how === 0) field[random.below(width)]! ^= 1 << random.below(8)
  else if (how === 1) for (let i = 0; i < width; i++) field[i] = random.below(256)
  else if (width >= 4) {
    if (how === 2) view.setUint32(width - 4, values[random.below(values.length)]!)
    else view.setUint32(random.below(2) * (width - 4), random.below(64) * CLUSTER)
  } else field.fill(how === 2 ? 0 : 0xff)
  file.put(at, field)
}

/** What a guest does to a disk. Each step may fail, but only by a named error. */
function use(image: Qcow2Image, guest: GuestBuffer, random: Random): void {
  const steps = [
    () => guest.read(image, 0, MIB),
    () => guest.write(image, 0, new Uint8Array(MIB).fill(MARK)),
    () => guest.write(image, random.below(64) * CLUSTER + 512, new Uint8Array(1024).fill(MARK)),
    () => guest.write(image, 600 * MIB, new Uint8Array(4096).fill(MARK)),
    () => image.flush(),
    () => image.discard(random.below(16) * CLUSTER, MIB),
    () => image.writeZeroes(random.below(1000) * 512, MIB, random.chance(50)),
    () => image.flush(),
    () => guest.write(image, 2 * MIB, new Uint8Array(MIB).fill(MARK)),
    () => guest.read(image, image.size - 512, 512),
    () => image.close(),
  ]
  for (const step of steps) named(step)
}

/** Runs `step`; an error of the kinds this folder promises is an answer, any other is a fault of ours. */
function named(step: () => void): boolean {
  try {
    step()
    return true
  } catch (error) {
    if (error instanceof Qcow2Error || error instanceof SystemError || error instanceof RangeError) {
      // The only range that is checked is the guest's, against a disk that a mutant made smaller.
      if (!(error instanceof RangeError) || /outside a disk/.test(error.message)) return false
    }
    throw error
  }
}

describe('qcow2 files made to hurt', () => {
  let folder = ''
  let victim: MemoryFile
  let base: MemoryFile
  let tables: number[] = []
  const random = new Random(4711)
  const guest = new GuestBuffer(MIB, random)
  before(() => {
    folder = temporaryFolder()
    fs.writeFileSync(path.join(folder, 'base'), new Uint8Array(4 * MIB).fill(1))
    const file = path.join(folder, 'victim.qcow2')
    createQcow2({ path: file, size: 1024 * MIB, backing: { path: 'base', format: 'raw' } })
    const image = openQcow2(file)
    guest.write(image, 0, new Uint8Array(MIB).fill(2))
    guest.write(image, 700 * MIB, new Uint8Array(CLUSTER).fill(3))
    image.writeZeroes(MIB, MIB, true)
    image.writeZeroes(CLUSTER, 2 * CLUSTER, false)
    image.discard(8 * CLUSTER, CLUSTER)
    image.close()
    victim = MemoryFile.load(file)
    base = MemoryFile.load(path.join(folder, 'base'))
    // Header, refcount table, refcount block, L1, and the first L2 table, which follows at once.
    tables = [1, 2, 3, 4].map((cluster) => cluster * CLUSTER)
  })
  after(() => {
    guest.close()
    fs.rmSync(folder, { recursive: true })
  })

  it(`${MUTANTS} mutants: no crash, no hang, no memory for the asking, no table in the guest's hands`, {
    timeout: 240_000,
  }, () => {
    let opened = 0
    for (let i = 0; i < MUTANTS; i++) {
      const file = WatchedFile.of(victim)
      const changes = 1 + random.below(3)
      for (let n = 0; n < changes; n++) mutate(file, random, tables)
      const before = new Uint8Array(112)
      file.read(0, before)
      named(() => void checkImage(file, readHeader(file, 'mutant'), 'mutant', false))
      named(() => {
        const image = openQcow2File(file, 'mutant', new RawBacking(base.clone()), 4)
        opened++
        use(image, guest, random)
        const after = new Uint8Array(112)
        file.read(0, after)
        // The feature bits are ours to change, the rest of the header is nobody's.
        before.fill(0, 72, 96)
        after.fill(0, 72, 96)
        assert.deepEqual(after, before, `mutant ${i}`)
        const header = readHeader(file, 'mutant')
        for (const at of [header.l1Offset, header.refcountTableOffset]) {
          const table = new Uint8Array(4096)
          file.read(at, table)
          assert.ok(!marked(table), `mutant ${i}: guest data in a table`)
        }
      })
      assert.ok(
        file.largestRead <= MAX_REFCOUNT_TABLE_CLUSTERS * CLUSTER,
        `mutant ${i} made us read ${file.largestRead} bytes`,
      )
    }
    // Else this would have tested the header only.
    assert.ok(opened > MUTANTS / 5, `${opened} opened`)
  })

  const corruptOpen = (change: (file: MemoryFile) => void, says: RegExp) => {
    const file = victim.clone()
    change(file)
    assert.throws(
      () => {
        const image = openQcow2File(file, 'image')
        guest.read(image, 0, 512)
        image.close()
      },
      (error: Error) =>
        error instanceof Qcow2Error && error.problem === 'corrupt' && says.test(error.message),
    )
  }
  const u64 = (value: bigint) => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, value)
    return bytes
  }
  const COPIED = 1n << 63n

  it('refuses tables that overlap', () => {
    for (const cluster of [0x10000n, 0x20000n, 0x30000n, 0x40000n]) {
      corruptOpen((file) => file.put(3 * CLUSTER + 8, u64(COPIED | cluster)), /overlaps another table/)
    }
    corruptOpen((file) => file.put(CLUSTER + 8, u64(0x30000n)), /overlaps another table/)
  })

  it('refuses entries that point where they must not', () => {
    for (const [entry, says] of [
      [COPIED | 0x10000n, /points to a table/],
      [COPIED | 0x40000n, /points to a table/],
      [COPIED | 0x7fff0000n, /past the end/],
      [COPIED | 0x00ff_ffff_ffff_0000n, /past the end/],
      [COPIED | 0x50200n, /reserved bits/],
      [COPIED | 0x0100_0000_0005_0000n, /reserved bits/],
      [COPIED, /claims the header/],
    ] as const) {
      corruptOpen((file) => file.put(4 * CLUSTER, u64(entry)), says)
    }
    for (const entry of [COPIED | 0x7fff0000n, COPIED, 0x4000_0000_0004_0000n | COPIED, COPIED | 0x40001n]) {
      corruptOpen((file) => file.put(3 * CLUSTER, u64(entry)), /L1 entry 0 points to/)
    }
    for (const entry of [0x7fff0000n, 0x20001n, COPIED | 0x20000n]) {
      corruptOpen((file) => file.put(CLUSTER, u64(entry)), /refcount table entry 0 points to/)
    }
  })

  it('is not impressed by a file of exabytes', () => {
    const file = victim.clone()
    file.size = () => 2 ** 62
    file.put(76, new Uint8Array([0, 0, 0, 1]))
    openQcow2File(file, 'image').close()
  })

  it('never gives a table away as a free cluster', () => {
    const file = victim.clone()
    // All counts zero: everything looks free.
    file.put(2 * CLUSTER, new Uint8Array(CLUSTER))
    const image = openQcow2File(file, 'image')
    assert.throws(
      () => guest.write(image, 32 * MIB, new Uint8Array(512)),
      /holds a table but is counted as free/,
    )
    image.abandon()
  })
})

/** Data of the guest fills whole sectors; eight marks in a row are no entry of a table. */
function marked(table: Uint8Array): boolean {
  for (let i = 0; i + 8 <= table.length; i += 8)
    if (table.subarray(i, i + 8).every((byte) => byte === MARK)) return true
  return false
}
