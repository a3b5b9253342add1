import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SystemError } from '../../sys/libc.ts'
import { checkImage } from './check.ts'
import { createQcow2 } from './create.ts'
import { BLOCK_ENTRIES, CLUSTER } from './format.ts'
import { checkQcow2, openQcow2, openQcow2File, readHeader } from './open.ts'
import { MemoryFile } from './testing/files.ts'
import { GuestBuffer, qemuCheck, Random, temporaryFolder } from './testing/support.ts'

const MIB = 2 ** 20
const ENOSPC = 28
const EIO = 5

/** As a file system that cannot make holes. */
class SolidFile extends MemoryFile {
  static of(file: MemoryFile): SolidFile {
    const solid = new SolidFile()
    solid.share(file)
    return solid
  }
  override punch(): void {}
}

/** Fails the writes that reach past `room`, and syncs when told to. */
class FullFile extends MemoryFile {
  room = Number.POSITIVE_INFINITY
  failSync = false
  static of(file: MemoryFile): FullFile {
    const full = new FullFile()
    full.share(file)
    return full
  }
  override write(offset: number, source: Uint8Array): void {
    if (offset + source.length > this.room) throw new SystemError('pwrite', ENOSPC)
    super.write(offset, source)
  }
  override sync(): void {
    if (this.failSync) throw new SystemError('fdatasync', EIO)
  }
}

describe('allocation of clusters', () => {
  let folder = ''
  let empty: MemoryFile
  const guest = new GuestBuffer(8 * MIB, new Random(7))
  const filled = (length: number, value: number) => new Uint8Array(length).fill(value)
  before(() => {
    folder = temporaryFolder()
    const file = path.join(folder, 'empty.qcow2')
    createQcow2({ path: file, size: 4096 * MIB })
    empty = MemoryFile.load(file)
  })
  after(() => {
    guest.close()
    fs.rmSync(folder, { recursive: true })
  })
  const check = (file: MemoryFile) => {
    const { leaks, messages, allocatedClusters } = checkImage(file, readHeader(file, 'image'), 'image', false)
    assert.deepEqual({ leaks, messages }, { leaks: 0, messages: [] })
    return allocatedClusters
  }

  it('is lazy: reads, zeroes and discards of what was never written take nothing', () => {
    const file = empty.clone()
    const before = file.size()
    const image = openQcow2File(file, 'image')
    assert.deepEqual(guest.read(image, 3 * CLUSTER + 512, 1024), new Uint8Array(1024))
    image.discard(0, image.size)
    image.writeZeroes(512, image.size - 512, false)
    image.flush()
    image.close()
    assert.equal(file.size(), before)
    assert.equal(check(file), 0)
  })

  it('takes neighbouring clusters for a large write and writes it at once', () => {
    const file = empty.clone()
    let writes = 0
    const begin = file.beginWrite.bind(file)
    file.beginWrite = (...args) => {
      // Tables are written in pages and entries.
      if (args[4] > CLUSTER) writes++
      begin(...args)
    }
    const image = openQcow2File(file, 'image')
    guest.write(image, CLUSTER / 2, filled(4 * MIB, 3))
    assert.equal(writes, 1)
    guest.write(image, CLUSTER, filled(3 * MIB, 4))
    assert.equal(writes, 2)
    image.close()
    assert.equal(check(file), 65)
  })

  it('uses freed clusters again, but only after the flush that frees them', () => {
    const file = empty.clone()
    const image = openQcow2File(file, 'image')
    guest.write(image, 0, filled(4 * MIB, 1))
    image.flush()
    const size = file.size()
    image.discard(0, 4 * MIB)
    guest.write(image, 512 * MIB, filled(CLUSTER, 2))
    assert.ok(file.size() > size, 'the freed clusters are still on disk as data')
    image.flush()
    const after = file.size()
    guest.write(image, 8 * MIB, filled(3 * MIB, 3))
    image.close()
    assert.equal(file.size(), after)
    assert.equal(check(file), 49)
  })

  it('shows nothing of what a used cluster held before, where the file system makes no holes', () => {
    const file = SolidFile.of(empty)
    const image = openQcow2File(file, 'image')
    guest.write(image, 0, filled(2 * MIB, 0x55))
    image.flush()
    image.discard(0, 2 * MIB)
    image.flush()
    const size = file.size()
    for (let i = 0; i < 16; i++) guest.write(image, 64 * MIB + i * CLUSTER + 1024, filled(512, 9))
    assert.equal(file.size(), size)
    for (let i = 0; i < 16; i++) {
      const expected = new Uint8Array(CLUSTER).fill(9, 1024, 1536)
      assert.deepEqual(guest.read(image, 64 * MIB + i * CLUSTER, CLUSTER), expected)
    }
    image.close()
    assert.equal(check(file), 16)
  })

  it('goes on in a new refcount block, and comes back to a full page of counts when something is freed in it', () => {
    const file = empty.clone()
    const counts = new DataView(new ArrayBuffer(CLUSTER))
    // 20 clusters are left in the first block; what the rest is used for does not matter here.
    for (let i = 0; i < BLOCK_ENTRIES; i++) counts.setUint16(i * 2, i < 4 || i >= 24 ? 1 : 0)
    file.put(2 * CLUSTER, new Uint8Array(counts.buffer))
    const image = openQcow2File(file, 'image')
    guest.write(image, 0, filled(25 * CLUSTER, 1))
    image.flush()
    assert.ok(file.size() > BLOCK_ENTRIES * CLUSTER)
    image.discard(0, 4 * CLUSTER)
    image.flush()
    const size = file.size()
    guest.write(image, 2 * MIB, filled(4 * CLUSTER, 2))
    image.flush()
    assert.equal(file.size(), size)
    assert.deepEqual(guest.read(image, 4 * CLUSTER, 21 * CLUSTER), filled(21 * CLUSTER, 1))
    image.close()
    const report = checkImage(file, readHeader(file, 'image'), 'image', true)
    assert.deepEqual(report.messages, [])
    assert.equal(report.leaks, BLOCK_ENTRIES - 24)
    assert.equal(check(file), 25)
    const saved = path.join(folder, 'two-blocks.qcow2')
    file.save(saved)
    qemuCheck(saved)
  })

  it('gives everything back when the file system is full, and goes on when there is room again', () => {
    const file = FullFile.of(empty)
    const image = openQcow2File(file, 'image')
    guest.write(image, 0, filled(CLUSTER, 1))
    image.flush()
    file.room = file.size() + CLUSTER / 2
    assert.throws(() => guest.write(image, MIB, filled(2 * CLUSTER, 2)), /ENOSPC/)
    assert.throws(() => guest.write(image, 600 * MIB, filled(CLUSTER, 2)), /ENOSPC/)
    assert.deepEqual(guest.read(image, MIB, CLUSTER), filled(CLUSTER, 0))
    guest.write(image, 512, filled(512, 3))
    image.flush()
    file.room = Number.POSITIVE_INFINITY
    guest.write(image, MIB, filled(2 * CLUSTER, 2))
    guest.write(image, 600 * MIB, filled(512, 4))
    image.close()
    assert.equal(check(file), 4)
  })

  it('writes nothing more after a sync that failed: what the kernel dropped is not known', () => {
    const file = FullFile.of(empty)
    const image = openQcow2File(file, 'image')
    guest.write(image, 0, filled(CLUSTER, 1))
    image.flush()
    guest.write(image, MIB, filled(CLUSTER, 2))
    file.failSync = true
    assert.throws(() => image.flush(), /EIO/)
    file.failSync = false
    assert.throws(() => image.flush(), /EIO/)
    assert.throws(() => guest.write(image, 0, filled(512, 2)), /EIO/)
    assert.deepEqual(guest.read(image, 0, CLUSTER), filled(CLUSTER, 1))
    assert.throws(() => image.close(), /EIO/)
    const again = openQcow2File(file, 'image')
    assert.deepEqual(guest.read(again, 0, CLUSTER), filled(CLUSTER, 1))
    again.close()
    check(file)
  })

  it('gives space back to the host', () => {
    const file = path.join(folder, 'thin.qcow2')
    createQcow2({ path: file, size: 64 * MIB })
    const image = openQcow2(file)
    guest.write(image, 0, filled(8 * MIB, 1))
    image.flush()
    const full = fs.statSync(file).blocks
    image.discard(0, 8 * MIB)
    image.flush()
    const given = fs.statSync(file).blocks
    image.close()
    assert.ok(full - given >= (7 * MIB) / 512, `${full} blocks before, ${given} after`)
    assert.equal(checkQcow2(file).allocatedClusters, 0)
  })
})
