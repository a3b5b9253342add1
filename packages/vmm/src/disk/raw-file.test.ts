import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { IovecList } from '../virtio/chain.ts'
import { openRawFile, RawFile } from './raw-file.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-raw-'))
after(() => fs.rmSync(folder, { recursive: true }))
const file = (name: string, bytes: number) => {
  const at = path.join(folder, name)
  fs.writeFileSync(
    at,
    new Uint8Array(bytes).map((_, i) => i),
  )
  return at
}
const openFds = () => fs.readdirSync('/proc/self/fd').length

test('what is no disk is refused in a sentence, and nothing stays open', () => {
  const before = openFds()
  assert.throws(
    () => openRawFile(path.join(folder, 'gone'), { readOnly: false }),
    /cannot open the disk .*gone: open: ENOENT/,
  )
  assert.throws(() => openRawFile(folder, { readOnly: true }), /neither a file nor a block device/)
  assert.throws(() => openRawFile('/dev/null', { readOnly: false }), /neither a file nor a block device/)
  assert.throws(() => openRawFile(file('tiny', 511), { readOnly: false }), /is empty/)
  assert.equal(openFds(), before)
})

test('one disk, one writer; readers share', () => {
  const disk = file('locked', 4096)
  const writer = openRawFile(disk, { readOnly: false })
  assert.throws(() => openRawFile(disk, { readOnly: false }), /in use by another machine/)
  assert.throws(() => openRawFile(disk, { readOnly: true }), /in use by another machine/)
  writer.close()
  writer.close()
  const readers = [openRawFile(disk, { readOnly: true }), openRawFile(disk, { readOnly: true })]
  assert.throws(() => openRawFile(disk, { readOnly: false }), /in use by another machine/)
  for (const reader of readers) reader.close()
  openRawFile(disk, { readOnly: false }).close()
})

test('a borrowed fd stays open and locked over machines', () => {
  const disk = file('borrowed', 4096)
  const owner = openRawFile(disk, { readOnly: false })
  for (let life = 0; life < 2; life++) {
    new RawFile(owner.fd, { readOnly: false, borrowed: true }).close()
    assert.throws(() => openRawFile(disk, { readOnly: true }), /in use/)
  }
  owner.close()
})

test('advancing an iovec list forgets exactly what was moved', () => {
  const iov = new IovecList(3)
  iov.set(0, 2 ** 46 + 5, 10)
  iov.set(1, 2 ** 33, 2 ** 32 + 7)
  iov.set(2, 1000, 1)
  assert.equal(iov.advance(0, 3, 4), 0)
  assert.deepEqual([iov.address(0), iov.length(0)], [2 ** 46 + 9, 6])
  assert.equal(iov.advance(0, 3, 6), 1)
  assert.deepEqual([iov.address(1), iov.length(1)], [2 ** 33, 2 ** 32 + 7])
  assert.equal(iov.advance(1, 2, 2 ** 32), 1)
  assert.deepEqual([iov.address(1), iov.length(1)], [2 ** 33 + 2 ** 32, 7])
  assert.equal(iov.advance(1, 2, 8), 3)
})
