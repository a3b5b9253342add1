import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { EpollLoop } from '../../io/epoll-loop.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import { seeded } from '../../virtio/testing/driver.ts'
import type { DiskListener } from '../backend.ts'
import { openQcow2Chain, qcow2Disk } from './chain.ts'
import { createQcow2 } from './create.ts'
import { CLUSTER } from './format.ts'
import { checkQcow2, openQcow2 } from './open.ts'
import { qemuCheck, temporaryFolder } from './testing/support.ts'

const MIB = 2 ** 20
const EIO = 5

class Completions implements DiskListener {
  readonly all: [tag: number, errno: number][] = []
  completed(tag: number, errno: number): void {
    this.all.push([tag, errno])
  }
  batchEnded(): void {}
  inOrderOfTags(): [tag: number, errno: number][] {
    return [...this.all].sort((a, b) => a[0] - b[0])
  }
}

describe('a qcow2 image as a disk', () => {
  let folder = ''
  const memory = new NativeBuffer(2 * CLUSTER)
  const iov = new IovecList(2)
  const at = (name: string) => path.join(folder, name)
  before(() => {
    folder = temporaryFolder()
    fs.mkdirSync(at('images'))
    fs.mkdirSync(at('vm'))
    fs.writeFileSync(at('images/base.raw'), new Uint8Array(4 * MIB).fill(1))
    createQcow2({ path: at('images/middle.qcow2'), backing: { path: 'base.raw', format: 'raw' } })
    createQcow2({
      path: at('vm/disk.qcow2'),
      size: 8 * MIB,
      backing: { path: '../images/middle.qcow2', format: 'qcow2' },
    })
  })
  after(() => {
    memory.free()
    fs.rmSync(folder, { recursive: true })
  })

  it('is opened by one thread and worked on by another, again after a reset', () => {
    const chain = openQcow2Chain(at('vm/disk.qcow2'), false)
    assert.equal(chain.baseFds.length, 2)
    const loop = new EpollLoop()
    for (let machine = 1; machine <= 2; machine++) {
      const done = new Completions()
      const disk = qcow2Disk(chain, assert.fail)
      assert.equal(disk.sizeBytes, 8 * MIB)
      disk.start(loop, done)
      iov.set(0, memory.address, 1024)
      iov.set(1, memory.address + CLUSTER, 3072)
      disk.read(1, iov, 2, CLUSTER - 512)
      disk.finish()
      const expected = new Uint8Array(3072).fill(1)
      if (machine === 2) expected.fill(0xab, 0, 3072)
      assert.deepEqual(memory.bytes.slice(CLUSTER, CLUSTER + 3072), expected)
      memory.bytes.fill(0xab)
      disk.write(2, iov, 2, CLUSTER - 512)
      disk.discard(3, 2 * CLUSTER, CLUSTER)
      disk.zero(4, 3 * CLUSTER, 512, true)
      disk.flush(5)
      disk.submit()
      disk.finish()
      assert.deepEqual(
        done.inOrderOfTags(),
        [1, 2, 3, 4, 5].map((tag) => [tag, 0]),
      )
      disk.close()
    }
    loop.close()
    assert.throws(() => openQcow2(at('vm/disk.qcow2')), /in use/, 'the descriptors keep the locks')
    for (const fd of [chain.fd, ...chain.baseFds]) fs.closeSync(fd)
    assert.deepEqual(checkQcow2(at('vm/disk.qcow2')).messages, [])
    qemuCheck(at('vm/disk.qcow2'))
  })

  it('keeps requests for the same clusters apart, in their order; others overtake them', () => {
    fs.writeFileSync(at('images/apart.raw'), new Uint8Array(8 * MIB).fill(9))
    createQcow2({ path: at('vm/apart.qcow2'), backing: { path: '../images/apart.raw', format: 'raw' } })
    const chain = openQcow2Chain(at('vm/apart.qcow2'), false)
    const done = new Completions()
    const loop = new EpollLoop()
    const disk = qcow2Disk(chain, assert.fail)
    disk.start(loop, done)
    const wait = (count: number) => {
      const deadline = performance.now() + 60_000
      while (done.all.length < count && performance.now() < deadline) loop.runOnce(1000)
      assert.equal(done.all.length, count)
    }
    memory.bytes.fill(0x31, 0, 4096)
    iov.set(0, memory.address, 4096)
    // Two parts of one new cluster: the second must find what the first made.
    disk.write(1, iov, 1, 0)
    disk.write(2, iov, 1, 8192)
    iov.set(0, memory.address + CLUSTER, CLUSTER)
    disk.read(3, iov, 1, 0)
    // The list is ours again; the requests have their own.
    iov.set(0, 0, 0)
    disk.discard(4, 2 * CLUSTER, CLUSTER)
    disk.submit()
    wait(4)
    const order = done.all.map(([tag]) => tag)
    assert.deepEqual(
      order.filter((tag) => tag <= 3),
      [1, 2, 3],
    )
    const expected = new Uint8Array(CLUSTER).fill(9)
    expected.fill(0x31, 0, 4096).fill(0x31, 8192, 12288)
    assert.deepEqual(memory.bytes.slice(CLUSTER), expected)
    // A device reset in the middle: what has begun ends, nobody is told, what waited is forgotten.
    iov.set(0, memory.address, 4096)
    disk.write(7, iov, 1, 3 * CLUSTER)
    disk.write(8, iov, 1, 3 * CLUSTER)
    disk.flush(9)
    disk.drain()
    assert.equal(done.all.length, 4)
    disk.flush(10)
    disk.submit()
    wait(5)
    disk.close()
    loop.close()
    for (const fd of [chain.fd, ...chain.baseFds]) fs.closeSync(fd)
    assert.deepEqual(checkQcow2(at('vm/apart.qcow2')).messages, [])
    qemuCheck(at('vm/apart.qcow2'))
  })

  it('serves reads, writes, discards and flushes at once, over its backing files, as a model does', () => {
    const size = 4 * MIB
    const slice = CLUSTER / 2
    const model = new Uint8Array(size)
    const base = new Uint8Array(3 * MIB + 5 * 512)
    const random = seeded(7)
    for (let i = 0; i < base.length; i += 512) base.fill(random(256), i, i + 512)
    fs.writeFileSync(at('images/mixed.raw'), base)
    model.set(base)
    createQcow2({ path: at('vm/mixed.qcow2'), size, backing: { path: '../images/mixed.raw', format: 'raw' } })
    const chain = openQcow2Chain(at('vm/mixed.qcow2'), false)
    const loop = new EpollLoop()
    const done = new Completions()
    const disk = qcow2Disk(chain, assert.fail)
    disk.start(loop, done)
    const buffers = new NativeBuffer(16 * slice)
    for (let round = 0; round < 150; round++) {
      // Each request has a slice of its own, so what it must see is what was there before the round.
      const slices = new Set<number>()
      while (slices.size < 8) slices.add(random(size / slice))
      const expected: [at: number, bytes: Uint8Array][] = []
      let tag = 0
      for (const chosen of slices) {
        const offset = chosen * slice + random(4) * 512
        const length = 512 * (1 + random(60))
        const memoryAt = tag * slice * 2
        iov.set(0, buffers.address + memoryAt, 512)
        iov.set(1, buffers.address + memoryAt + 512, length - 512)
        const count = length > 512 ? 2 : 1
        switch (random(5)) {
          case 0:
          case 1:
            expected.push([memoryAt, model.slice(offset, offset + length)])
            disk.read(tag, iov, count, offset)
            break
          case 2: {
            const byte = random(256)
            buffers.bytes.fill(byte, memoryAt, memoryAt + length)
            model.fill(byte, offset, offset + length)
            disk.write(tag, iov, count, offset)
            break
          }
          case 3:
            disk.zero(tag, offset, length, random(2) === 0)
            model.fill(0, offset, offset + length)
            break
          default:
            disk.flush(tag)
        }
        tag++
      }
      // A whole cluster, apart from the others: it gives its place back.
      const cluster = size / CLUSTER - 1 - (round % 2)
      if (![...slices].some((chosen) => Math.floor(chosen / 2) === cluster)) {
        disk.discard(tag++, cluster * CLUSTER, CLUSTER)
        model.fill(0, cluster * CLUSTER, (cluster + 1) * CLUSTER)
      }
      disk.submit()
      const deadline = performance.now() + 60_000
      while (done.all.length < tag && performance.now() < deadline) loop.runOnce(1000)
      const tags = done.all.splice(0).sort((a, b) => a[0] - b[0])
      assert.deepEqual(
        tags,
        tags.map((_, i) => [i, 0]),
      )
      assert.equal(tags.length, tag)
      for (const [from, bytes] of expected) {
        assert.ok(
          Buffer.from(bytes).equals(buffers.bytes.subarray(from, from + bytes.length)),
          `round ${round}`,
        )
      }
    }
    disk.close()
    loop.close()
    buffers.free()
    for (const fd of [chain.fd, ...chain.baseFds]) fs.closeSync(fd)
    const again = openQcow2(at('vm/mixed.qcow2'), { backing: ({ resolved }) => resolved! })
    const whole = new NativeBuffer(size)
    iov.set(0, whole.address, size)
    again.readv(0, iov, 1, size)
    assert.ok(Buffer.from(model).equals(whole.bytes))
    again.close()
    whole.free()
    qemuCheck(at('vm/mixed.qcow2'))
  })

  it('writes metadata ahead when its cache is nearly full', () => {
    createQcow2({ path: at('ahead.qcow2'), size: 64 * 2 ** 30 })
    const chain = openQcow2Chain(at('ahead.qcow2'), false)
    const done = new Completions()
    const loop = new EpollLoop()
    const disk = qcow2Disk(chain, assert.fail, { l2Pages: 4 })
    disk.start(loop, done)
    memory.bytes.fill(0x77, 0, 512)
    // Each in a page of the table of its own.
    const far = 64 * MIB
    for (let i = 0; i < 40; i++) {
      iov.set(0, memory.address, 512)
      disk.write(i, iov, 1, i * far)
      disk.submit()
    }
    const deadline = performance.now() + 60_000
    while (done.all.length < 40 && performance.now() < deadline) loop.runOnce(1000)
    assert.deepEqual(
      done.inOrderOfTags(),
      Array.from({ length: 40 }, (_, i) => [i, 0]),
    )
    disk.flush(40)
    disk.finish()
    disk.close()
    loop.close()
    fs.closeSync(chain.fd)
    qemuCheck(at('ahead.qcow2'))
  })

  it('refuses before anything starts, and leaves no descriptor behind', () => {
    const open = () => fs.readdirSync('/proc/self/fd').length
    const before = open()
    fs.writeFileSync(at('no.qcow2'), new Uint8Array(CLUSTER))
    assert.throws(() => openQcow2Chain(at('no.qcow2'), false), /not a qcow2 image/)
    createQcow2({ path: at('vm/orphan.qcow2'), backing: { path: '../images/base.raw', format: 'raw' } })
    fs.renameSync(at('images/base.raw'), at('images/elsewhere.raw'))
    assert.throws(
      () => openQcow2Chain(at('vm/orphan.qcow2'), false),
      /base.raw cannot be opened: open: ENOENT/,
    )
    assert.throws(() => openQcow2Chain(at('vm/disk.qcow2'), false), /base.raw cannot be opened/)
    assert.equal(open(), before)
  })

  it('answers damage with an I/O error, and reports it once', () => {
    createQcow2({ path: at('damaged.qcow2'), size: MIB })
    const chain = openQcow2Chain(at('damaged.qcow2'), false)
    const reports: string[] = []
    const done = new Completions()
    const loop = new EpollLoop()
    const disk = qcow2Disk(chain, (message) => reports.push(message))
    disk.start(loop, done)
    iov.set(0, memory.address, 4096)
    disk.write(1, iov, 1, 0)
    disk.flush(2)
    disk.finish()
    disk.close()
    // The entry of the first cluster, which is in the first L2 table.
    fs.writeSync(chain.fd, new Uint8Array([0x80, 0, 0, 0, 0x7f, 0xff, 0, 0]), 0, 8, 4 * CLUSTER)
    const again = qcow2Disk(chain, (message) => reports.push(message))
    again.start(loop, done)
    again.read(3, iov, 1, 0)
    again.write(4, iov, 1, 0)
    again.finish()
    again.close()
    loop.close()
    fs.closeSync(chain.fd)
    assert.deepEqual(done.inOrderOfTags(), [
      [1, 0],
      [2, 0],
      [3, EIO],
      [4, EIO],
    ])
    assert.equal(reports.length, 1)
    assert.match(reports[0]!, /damaged: an L2 entry points past the end/)
  })
})
