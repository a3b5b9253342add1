import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, utimes } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { imageLimits } from '@hearth/shared/image'
import { GIB, MIB } from '@hearth/shared/units'
import { UploadStore } from './uploads.ts'

async function open(t: TestContext) {
  const images = await mkdtemp(path.join(os.tmpdir(), 'hearth-uploads-'))
  t.after(() => rm(images, { recursive: true }))
  return new UploadStore(images)
}

const uid = '6f1c0a52-9d0e-4a57-8a3e-0c8f0f9d2b11'
const none = { body: Readable.from([]) as Readable }

test('parts append where the last one ended; what a broken connection brought is kept', async (t) => {
  const store = await open(t)
  const breaking = Readable.from(
    (async function* () {
      yield Buffer.from('abc')
      throw new Error('the connection broke')
    })(),
  )
  await assert.rejects(store.append(uid, { offset: 0, totalBytes: 10, body: breaking, zeroBytes: null }))
  assert.equal(await store.offset(uid), 3)
  const more = Readable.from([Buffer.from('defg')])
  assert.equal(await store.append(uid, { offset: 3, totalBytes: 10, body: more, zeroBytes: null }), 7)
  assert.equal(await store.append(uid, { offset: 7, totalBytes: 10, ...none, zeroBytes: 3 }), 10)
  assert.equal(await readFile(store.file(uid), 'latin1'), 'abcdefg\0\0\0')
})

test('a part at the wrong place, past the end or longer than one may be is refused', async (t) => {
  const store = await open(t)
  const at = (offset: number, totalBytes: number, body: Readable, zeroBytes: number | null = null) =>
    store.append(uid, { offset, totalBytes, body, zeroBytes })
  await assert.rejects(at(5, 10, Readable.from([])), { status: 409 })
  await assert.rejects(at(0, 10, Readable.from([Buffer.alloc(11)])), { status: 413 })
  await assert.rejects(at(0, 10, Readable.from([]), 11), { status: 400 })
  await assert.rejects(at(0, imageLimits.fileBytes + 1, Readable.from([])), { status: 413 })
  const long = Readable.from(
    (function* () {
      for (let sent = 0; sent <= imageLimits.uploadChunkBytes; sent += MIB) yield Buffer.alloc(MIB)
    })(),
  )
  await assert.rejects(at(await store.offset(uid), GIB, long), { status: 413 })
  assert.throws(() => store.file('../../etc/passwd'))
})

test('two writers of one upload: the second is sent away', async (t) => {
  const store = await open(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow = Readable.from(
    (async function* () {
      yield Buffer.from('a')
      await promise
    })(),
  )
  const first = store.append(uid, { offset: 0, totalBytes: 2, body: slow, zeroBytes: null })
  await assert.rejects(store.append(uid, { offset: 0, totalBytes: 2, ...none, zeroBytes: null }), {
    status: 423,
  })
  resolve()
  assert.equal(await first, 1)
})

test('zeros are a hole, and what nobody goes on with is forgotten after a week', async (t) => {
  const store = await open(t)
  await store.append(uid, { offset: 0, totalBytes: GIB, ...none, zeroBytes: GIB })
  const { size, blocks } = await stat(store.file(uid))
  assert.deepEqual([size, blocks], [GIB, 0])
  await store.tidy()
  assert.equal(await store.offset(uid), GIB)
  const old = (Date.now() - 8 * 24 * 3600 * 1000) / 1000
  await utimes(store.file(uid), old, old)
  await store.tidy()
  assert.equal(await store.offset(uid), 0)
})
