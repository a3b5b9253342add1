import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, GIB, MIB, parseSize } from './units.ts'

test('sizes are read as people type them, in powers of two', () => {
  assert.equal(parseSize('512M'), 512 * MIB)
  assert.equal(parseSize('2GiB'), 2 * GIB)
  assert.equal(parseSize('1.5g'), 1.5 * GIB)
  assert.equal(parseSize('4096'), 4096)
  for (const bad of ['', 'M', '-1M', '1.5', '12Q', '1e3', '99999999T'])
    assert.equal(parseSize(bad), undefined, bad)
})

test('sizes are shown with at most one decimal', () => {
  assert.equal(formatBytes(0, 'en'), '0 B')
  assert.equal(formatBytes(1536 * MIB, 'en'), '1.5 GiB')
  assert.equal(formatBytes(20 * GIB, 'en'), '20 GiB')
})
