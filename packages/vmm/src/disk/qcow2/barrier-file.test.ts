import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import { BarrierFile } from './barrier-file.ts'
import { runNow } from './jobs.ts'
import { MemoryFile } from './testing/files.ts'

class BusyFile extends MemoryFile {
  syncs = 0
  inFlight = 0
  override get writesInFlight(): number {
    return this.inFlight
  }
  override sync(): void {
    this.syncs++
  }
}

test('a sync is for the writes that had ended when it began, and one with nothing to do costs nothing', () => {
  const below = new BusyFile()
  const file = new BarrierFile(below)
  const syncs = (): number => {
    runNow((job) => file.sync(job))
    return below.syncs
  }
  // The first is for whoever had the file before.
  assert.deepEqual([syncs(), syncs()], [1, 1])
  const memory = new NativeBuffer(512)
  const iov = new IovecList(1)
  iov.set(0, memory.address, 512)
  runNow(function* (job) {
    file.beginWrite(job, 0, iov, 1, 512)
    yield
  })
  below.inFlight = 1
  assert.equal(syncs(), 2)
  below.inFlight = 0
  assert.deepEqual([syncs(), syncs()], [3, 3], 'the write that was under way needs one more')
  memory.free()
})
