import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { VariableKeeper } from './variable-keeper.ts'

const BYTES = 64 * 1024

function keeper(fd: number | undefined) {
  const memory = new NativeBuffer(BYTES)
  const warnings: string[] = []
  const region = { guestAddress: 0, hostAddress: memory.address, size: BYTES }
  const store = { ...region, fd, writeBack: true }
  return { memory, warnings, keeper: new VariableKeeper(store, (text) => warnings.push(text)) }
}

test('what is changed while a write is under way is there after the next', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'variables-'))
  const fd = openSync(path.join(folder, 'file'), 'w+')
  const { memory, warnings, keeper: kept } = keeper(fd)
  t.after(() => {
    memory.free()
    closeSync(fd)
    rmSync(folder, { recursive: true })
  })
  for (let i = 0; i < 1000; i++) {
    memory.bytes[i] = i & 0xff
    kept.changed()
  }
  memory.bytes[1000] = 7
  kept.changed()
  await kept.settled()
  assert.deepEqual(readFileSync(path.join(folder, 'file')), Buffer.from(memory.bytes))
  assert.equal(statSync(path.join(folder, 'file')).size, BYTES)
  assert.deepEqual(warnings, [])
  await kept.settled()
})

test('a disk that is full is said once for each write, not for each change', async (t) => {
  const fd = openSync('/dev/full', 'w')
  const { memory, warnings, keeper: kept } = keeper(fd)
  t.after(() => {
    memory.free()
    closeSync(fd)
  })
  for (let i = 0; i < 1000; i++) kept.changed()
  await kept.settled()
  assert.equal(warnings.length, 2)
  assert.match(warnings[0]!, /may not be kept: ENOSPC/)
})
