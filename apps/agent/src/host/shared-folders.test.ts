import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { offeredFolders, sharedFoldersFile, sharesOf } from './shared-folders.ts'

let state: string
let file: string
before(async () => {
  state = await mkdtemp(join(tmpdir(), 'agent-folders-'))
  file = join(state, sharedFoldersFile)
})
after(() => rm(state, { recursive: true }))
const write = (text: string) => writeFile(file, text)

test('without a list there is nothing to share', async () => {
  assert.deepEqual(await offeredFolders(file), [])
  assert.deepEqual(await sharesOf(file, []), [])
  await assert.rejects(
    sharesOf(file, [{ name: 'music', writable: false }]),
    /does not share the folder music/,
  )
})

test('a VM gets what the list has, to write only where that is said', async () => {
  await write(
    JSON.stringify({ music: { path: '/srv/music' }, work: { path: '/srv/work', writable: true, uid: 0 } }),
  )
  assert.deepEqual(await offeredFolders(file), [
    { name: 'music', writable: false },
    { name: 'work', writable: true },
  ])
  const wanted = [
    { name: 'music', writable: false },
    { name: 'work', writable: true },
  ]
  assert.deepEqual(await sharesOf(file, wanted), [
    { path: '/srv/music', tag: 'music', writable: false, owner: 1000 },
    { path: '/srv/work', tag: 'work', writable: true, owner: 0 },
  ])
  await assert.rejects(sharesOf(file, [{ name: 'music', writable: true }]), /music for reading only/)
  await assert.rejects(sharesOf(file, [{ name: 'constructor', writable: false }]), /does not share/)
})

test('a list with a mistake shares nothing, and says so when a VM needs it', async () => {
  for (const text of [
    '{',
    '[]',
    '{"music": "/srv"}',
    '{"music": {"path": "srv"}}',
    '{"Up/..": {"path": "/"}}',
  ]) {
    await write(text)
    assert.deepEqual(await offeredFolders(file), [], text)
    await assert.rejects(
      sharesOf(file, [{ name: 'music', writable: false }]),
      /cannot be read|does not share/,
    )
  }
})
