import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { EpollLoop } from '../io/epoll-loop.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { IovecList } from '../virtio/chain.ts'
import { BlockingRing } from './blocking-ring.ts'
import { RING_ENTRIES } from './file-queue.ts'
import { RawDisk } from './raw.ts'
import { openRawFile } from './raw-file.ts'
import { RING_OP, type Ring } from './ring.ts'
import { hasUring } from './rings.ts'
import { blockingDisk } from './testing/blocking-disk.ts'

const MIB = 1 << 20
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-raw-disk-'))
after(() => fs.rmSync(folder, { recursive: true }))

const probe = fs.openSync(os.devNull, 'r')
const uring = hasUring(probe)
fs.closeSync(probe)

const options = { readOnly: false }
const rings: readonly [string, boolean, (file: string) => RawDisk][] = [
  ['blocking', true, (file) => blockingDisk(file, options)],
  ['io_uring', uring, (file) => new RawDisk(openRawFile(file, options))],
]

for (const [name, available, open] of rings) {
  describe(name, { skip: !available && 'no io_uring here' }, () => {
    /** Runs one request to its end; returns its errno. */
    const use = (file: string, run: (once: (begin: (disk: RawDisk) => void) => number) => void): void => {
      const disk = open(file)
      const loop = new EpollLoop()
      const ends: number[] = []
      disk.start(loop, { completed: (_tag, errno) => ends.push(errno), batchEnded() {} })
      run((begin) => {
        begin(disk)
        disk.finish()
        assert.equal(ends.length, 1)
        return ends.pop()!
      })
      disk.close()
      loop.close()
    }

    test('transfers of several pieces, and an I/O error where the file was cut off or memory is not there', () => {
      const file = path.join(folder, `short-${name}`)
      fs.writeFileSync(
        file,
        new Uint8Array(MIB).map((_, i) => i),
      )
      const memory = new NativeBuffer(MIB)
      const iov = new IovecList(4)
      use(file, (once) => {
        for (let i = 0; i < 4; i++) iov.set(i, memory.address + i * 1000, 1000)
        assert.equal(
          once((disk) => disk.read(0, iov, 4, 512)),
          0,
        )
        assert.deepEqual([...memory.bytes.subarray(0, 2)], [0, 1])
        assert.equal(memory.bytes[3999], (512 + 3999) & 0xff)
        iov.set(0, memory.address, 1024)
        fs.truncateSync(file, MIB - 512)
        const EIO = 5
        assert.equal(
          once((disk) => disk.read(0, iov, 1, MIB - 1024)),
          EIO,
          'half of it is there',
        )
        iov.set(0, 4096, 512)
        const EFAULT = 14
        assert.equal(
          once((disk) => disk.read(0, iov, 1, 0)),
          EFAULT,
        )
      })
      memory.free()
    })

    test('zeroes keep their space unless it may be given up, on a file system without ZERO_RANGE, too', (t) => {
      for (const place of [folder, '/dev/shm']) {
        if (!fs.existsSync(place)) continue
        const file = path.join(place, `hearth-zero-${process.pid}`)
        t.after(() => fs.rmSync(file))
        fs.writeFileSync(file, new Uint8Array(MIB).fill(7), { flush: true })
        const { blocks } = fs.statSync(file)
        const zeroed = (from: number): boolean =>
          fs
            .readFileSync(file)
            .subarray(from, from + 65_536)
            .every((byte) => byte === 0)
        use(file, (once) => {
          assert.equal(
            once((disk) => disk.zero(0, 4096, 65_536, false)),
            0,
          )
          assert.ok(zeroed(4096))
          assert.equal(fs.statSync(file).blocks, blocks, place)
          assert.equal(
            once((disk) => disk.zero(0, 131_072, 65_536, true)),
            0,
          )
          assert.ok(zeroed(131_072))
          assert.ok(fs.statSync(file).blocks < blocks, place)
        })
        assert.equal(fs.readFileSync(file)[4095], 7)
        assert.equal(fs.readFileSync(file)[4096 + 65_536], 7)
      }
    })
  })
}

/** fallocate's modes of <linux/falloc.h>; one that no kernel knows is refused as by a file system. */
const [ZERO_RANGE, NO_MODE, UNKNOWN] = [17, 0, 1 << 20]

test('a file system that can only make holes keeps the promise of zeroes', () => {
  for (const refused of [[ZERO_RANGE], [ZERO_RANGE, NO_MODE]]) {
    class PoorFileSystem extends BlockingRing {
      override push(
        ...[operation, direct, offset, address, length, flags, tag]: Parameters<Ring['push']>
      ): void {
        const isRefused = operation === RING_OP.FALLOCATE && refused.includes(length)
        super.push(operation, direct, offset, address, isRefused ? UNKNOWN : length, flags, tag)
      }
    }
    const name = path.join(folder, 'poor')
    fs.writeFileSync(name, new Uint8Array(MIB).fill(7), { flush: true })
    const { blocks } = fs.statSync(name)
    const file = openRawFile(name, options)
    const disk = new RawDisk(file, new PoorFileSystem(file, RING_ENTRIES))
    const loop = new EpollLoop()
    const ends: number[] = []
    disk.start(loop, { completed: (_tag, errno) => ends.push(errno), batchEnded() {} })
    disk.zero(0, 4096, 65_536, false)
    disk.finish()
    disk.close()
    loop.close()
    assert.deepEqual(ends, [0])
    const content = fs.readFileSync(name)
    assert.ok(content.subarray(4096, 4096 + 65_536).every((byte) => byte === 0))
    assert.equal(content[4095], 7)
    assert.equal(fs.statSync(name).blocks === blocks, !refused.includes(NO_MODE))
  }
})
