import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { EpollLoop } from '../io/epoll-loop.ts'
import { openDisk } from '../machine/backends.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { IovecList } from '../virtio/chain.ts'
import { seeded } from '../virtio/testing/driver.ts'
import { openQcow2Chain, qcow2Disk } from './qcow2/chain.ts'
import { createQcow2 } from './qcow2/create.ts'
import { checkQcow2 } from './qcow2/open.ts'
import { qemuCheck } from './qcow2/testing/support.ts'
import { RawDisk } from './raw.ts'
import { RawFile } from './raw-file.ts'

const MIB = 1 << 20
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-direct-'))
after(() => fs.rmSync(folder, { recursive: true }))

for (const format of ['raw', 'qcow2'] as const) {
  test(`${format}: cache=none passes the page cache by, wherever the guest has its memory`, () => {
    const file = path.join(folder, `disk.${format}`)
    const size = 4 * MIB
    const base = path.join(folder, 'base.raw')
    fs.writeFileSync(base, new Uint8Array(size).fill(5))
    if (format === 'raw') fs.copyFileSync(base, file)
    else createQcow2({ path: file, backing: { path: base, format: 'raw' } })
    const handle = openDisk({ path: file, readOnly: false, format, cache: 'none' })
    const { fd, directFd, baseFds = [] } = handle
    const disk =
      format === 'raw'
        ? new RawDisk(new RawFile(fd, { readOnly: false, borrowed: true, directFd }))
        : qcow2Disk({ path: file, readOnly: false, fd, directFd, baseFds }, assert.fail)
    const loop = new EpollLoop()
    let done = 0
    disk.start(loop, {
      completed(_tag, errno) {
        assert.equal(errno, 0)
        done++
      },
      batchEnded() {},
    })
    const random = seeded(11)
    const model = new Uint8Array(size).fill(5)
    const memory = new NativeBuffer(size + 4096)
    const iov = new IovecList(3)
    for (let round = 0; round < 200; round++) {
      const length = 512 * (1 + random(200))
      const offset = 512 * random((size - length) / 512)
      // Every other time at an odd address, in three odd pieces.
      const shift = round % 2 === 0 ? 0 : 1 + random(511)
      const cut = round % 2 === 0 ? 512 * random(length / 512) : random(length)
      iov.set(0, memory.address + shift, cut)
      iov.set(1, memory.address + shift + cut, length - cut)
      const bytes = memory.bytes.subarray(shift, shift + length)
      if (random(2) === 0) {
        for (let i = 0; i < length; i += 64) bytes.fill(random(256), i, i + 64)
        model.set(bytes, offset)
        disk.write(0, iov, 2, offset)
        disk.finish()
      } else {
        bytes.fill(0xa5)
        disk.read(0, iov, 2, offset)
        disk.finish()
        assert.ok(Buffer.from(bytes).equals(model.subarray(offset, offset + length)), `round ${round}`)
      }
      if (round % 20 === 0) {
        disk.flush(1)
        disk.finish()
      }
    }
    assert.ok(done > 200)
    disk.close()
    loop.close()
    memory.free()
    for (const open of [fd, directFd!, ...baseFds]) fs.closeSync(open)
    if (format === 'raw') assert.ok(fs.readFileSync(file).equals(model))
    else {
      assert.deepEqual(checkQcow2(file).messages, [])
      qemuCheck(file)
      const again = openQcow2Chain(file, true)
      assert.equal(again.baseFds.length, 1)
      for (const open of [again.fd, ...again.baseFds]) fs.closeSync(open)
    }
  })
}
