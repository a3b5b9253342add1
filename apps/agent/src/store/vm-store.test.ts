import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { testSpec } from '../testing/agent-harness.ts'
import { newRecord } from '../vm/create-vm.ts'
import { VmStore } from './vm-store.ts'

async function openStore() {
  const state = await mkdtemp(join(tmpdir(), 'hearth-store-'))
  const store = new VmStore(state)
  await store.open()
  return { state, store, folder: join(state, 'vms') }
}

test('what is stored comes back, and is gone after removal', async (t) => {
  const { state, store, folder } = await openStore()
  t.after(() => rm(state, { recursive: true }))
  const spec = testSpec()
  const record = newRecord('10.83.0.7')
  await store.create({ spec, record })
  await store.writeSpec({ ...spec, name: 'renamed' })
  await store.writeRecord(spec.vmUid, { ...record, phase: 'ready' })
  assert.deepEqual(await new VmStore(state).load(), {
    vms: [{ spec: { ...spec, name: 'renamed' }, record: { ...record, phase: 'ready' } }],
    unreadable: [],
  })
  await store.remove(spec.vmUid)
  await store.remove(spec.vmUid)
  assert.deepEqual(await readdir(folder), [])
})

test('a uid that is none never becomes a path', async (t) => {
  const { state, store } = await openStore()
  t.after(() => rm(state, { recursive: true }))
  for (const uid of ['..', '../../etc', '', '.', 'a/b', `${testSpec().vmUid}/..`, `${testSpec().vmUid}\0`])
    assert.throws(() => store.files(uid), uid)
})

test('loading removes what a crash left unnamed, and leaves alone what it cannot read', async (t) => {
  const { state, store, folder } = await openStore()
  t.after(() => rm(state, { recursive: true }))
  const good = testSpec()
  await store.create({ spec: good, record: newRecord(null) })
  await mkdir(join(folder, '.tmp-half'))
  await writeFile(join(folder, '.tmp-half', 'spec.json'), '{')
  // A disk may be in there: somebody has to look, nobody may delete it.
  const broken = testSpec().vmUid
  await mkdir(join(folder, broken))
  await writeFile(join(folder, broken, 'spec.json'), '{"v":1')
  const newer = testSpec()
  await store.create({ spec: newer, record: newRecord(null) })
  await writeFile(store.files(newer.vmUid).spec, JSON.stringify({ ...newer, v: 2 }))
  const swapped = testSpec()
  await store.create({ spec: swapped, record: newRecord(null) })
  await writeFile(store.files(swapped.vmUid).spec, JSON.stringify(good))

  const loaded = await store.load()
  assert.deepEqual(
    loaded.vms.map(({ spec }) => spec.vmUid),
    [good.vmUid],
  )
  assert.deepEqual(
    loaded.unreadable.map((entry) => entry.folder).sort(),
    [broken, newer.vmUid, swapped.vmUid].map((uid) => join(folder, uid)).sort(),
  )
  assert.match(
    String(loaded.unreadable.find((entry) => entry.folder.endsWith(newer.vmUid))?.error),
    /newer Hearth/,
  )
  assert.equal((await readdir(folder)).includes('.tmp-half'), false)
})
