import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findChecksum } from './checksum.ts'

const a = 'a'.repeat(64)
const b = 'b'.repeat(64)

test('a checksum is found in every kind of list that distributions publish', () => {
  assert.equal(findChecksum(`${b}  other.img\n${a} *disk.img\n`, 'disk.img', 'sha256'), a)
  assert.equal(findChecksum(`${a}  ./disk.img\n`, 'disk.img', 'sha256'), a)
  const signed = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# disk.img: 5 bytes\nSHA256 (disk.img) = ${a.toUpperCase()}\n`
  assert.equal(findChecksum(signed, 'disk.img', 'sha256'), a)
  assert.equal(findChecksum(`${'c'.repeat(128)}\n`, 'disk.img', 'sha512'), 'c'.repeat(128))
})

test('another file’s, another algorithm’s or a cut-off checksum is none', () => {
  assert.equal(findChecksum(`${a}  other.img\n`, 'disk.img', 'sha256'), undefined)
  assert.equal(findChecksum(`${a}  disk.img.old\n`, 'disk.img', 'sha256'), undefined)
  assert.equal(findChecksum(`SHA512 (disk.img) = ${a}\n`, 'disk.img', 'sha256'), undefined)
  assert.equal(findChecksum(`${a.slice(1)}  disk.img\n`, 'disk.img', 'sha256'), undefined)
  assert.equal(findChecksum(`${a}  one.img\n${b}  two.img\n`, 'disk.img', 'sha256'), undefined)
  // Alone in its file it belongs to the file beside it; two of them belong to nobody knows which.
  assert.equal(findChecksum(`${a}\n${b}\n`, 'disk.img', 'sha256'), undefined)
})
