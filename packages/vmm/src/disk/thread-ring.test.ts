import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { EpollLoop } from '../io/epoll-loop.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { IovecList } from '../virtio/chain.ts'
import { seeded } from '../virtio/testing/driver.ts'
import { openQcow2Chain, qcow2Disk } from './qcow2/chain.ts'
import { createQcow2 } from './qcow2/create.ts'
import { checkQcow2 } from './qcow2/open.ts'
import { qemuCheck } from './qcow2/testing/support.ts'
import { RawDisk } from './raw.ts'
import { openRawFile } from './raw-file.ts'
import { useDiskThread } from './rings.ts'
import { startDiskThread } from './thread.ts'

const MIB = 1 << 20
const SLICE = 32 * 1024
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-thread-'))
after(() => fs.rmSync(folder, { recursive: true }))
process.env.HEARTH_DISK_THREAD = '1'

for (const kind of ['raw', 'qcow2']) {
  test(`${kind}: where there is no io_uring a thread does the work, while this one goes on`, async () => {
    const base = path.join(folder, `${kind}.raw`)
    const file = kind === 'raw' ? base : path.join(folder, 'disk.qcow2')
    fs.writeFileSync(base, new Uint8Array(2 * MIB).fill(5))
    if (kind === 'qcow2') createQcow2({ path: file, backing: { path: base, format: 'raw' } })
    const chain = kind === 'qcow2' ? openQcow2Chain(file, false) : undefined
    const raw = chain ? undefined : openRawFile(file, { readOnly: false })
    useDiskThread(await startDiskThread([chain ?? raw!], undefined))
    const disk = chain ? qcow2Disk(chain, assert.fail) : new RawDisk(raw!)
    const loop = new EpollLoop()
    const done: number[] = []
    disk.start(loop, {
      completed(tag, errno) {
        assert.equal(errno, 0)
        done.push(tag)
      },
      batchEnded() {},
    })
    const wait = (count: number) => {
      const deadline = performance.now() + 60_000
      while (done.length < count && performance.now() < deadline) loop.runOnce(1000)
      assert.equal(done.length, count)
      done.length = 0
    }
    const memory = new NativeBuffer(2 * MIB)
    const iov = new IovecList(1)
    const model = new Uint8Array(2 * MIB).fill(5)
    const random = seeded(3)
    for (let round = 0; round < 20; round++) {
      for (let tag = 0; tag < 8; tag++) {
        // Neighbours in one cluster, too: the same pieces in every round, in another order.
        const at = ((tag * 5 + round) % (model.length / SLICE)) * SLICE
        const byte = random(256)
        model.fill(byte, at, at + 4096)
        memory.bytes.fill(byte, tag * 4096, (tag + 1) * 4096)
        iov.set(0, memory.address + tag * 4096, 4096)
        disk.write(tag, iov, 1, at)
      }
      disk.submit()
      wait(8)
    }
    disk.zero(1, 0, 4096, false)
    model.fill(0, 0, 4096)
    disk.finish()
    disk.flush(2)
    iov.set(0, memory.address, memory.length)
    disk.read(3, iov, 1, 0)
    disk.submit()
    wait(3)
    assert.ok(Buffer.from(model).equals(memory.bytes))
    disk.close()
    loop.close()
    memory.free()
    if (chain === undefined) return
    for (const fd of [chain.fd, ...chain.baseFds]) fs.closeSync(fd)
    assert.deepEqual(checkQcow2(file).messages, [])
    qemuCheck(file)
  })
}
