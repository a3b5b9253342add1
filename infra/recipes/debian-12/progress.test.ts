import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TreeProgressReader } from './progress.ts'

test('progress grows with what apt and dpkg print, names the package, and stays below the whole', () => {
  const reader = new TreeProgressReader()
  assert.equal(reader.read('Reading package lists...'), undefined)
  const lines = Array.from({ length: 400 }, (_, n) => [
    `Get:${n} http://mirror bookworm/main amd64 p${n} [1 kB]`,
    `Unpacking p${n}:amd64 (1.${n}) ...`,
    `Setting up p${n} (1.${n}) ...`,
  ])
  let before = -1
  for (const line of lines.flat()) {
    const { fraction } = reader.read(line)!
    assert.ok(fraction >= before && fraction <= 1)
    before = fraction
  }
  assert.equal(reader.read('Setting up openssh-server (1:9.2) ...')?.step, 'Setting up openssh-server')
  assert.equal(reader.read('Unpacking libc6:amd64 (2.36) ...')?.step, 'Unpacking libc6')
})
