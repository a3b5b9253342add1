import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { HearthError } from '@hearth/shared/errors'
import type { RecordingReport } from '@hearth/shared/recording'
import { codeFrom, createRunning, type Person, TestPortal } from '../testing/test-portal.ts'

let portal: TestPortal
let admin: Person
let member: Person
let folder: string
const kept = new Map<string, RecordingReport>()

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-recordings-'))
  portal = await TestPortal.start()
  admin = await portal.setUp()
  const { id } = await portal.db.project.findFirstOrThrow()
  member = await portal.addPerson('Mia', { [id]: 'owner' })
  const change = (uid: string, more: Partial<RecordingReport>): RecordingReport => {
    const before = kept.get(uid)
    if (!before) throw new HearthError('not_found', 'gone')
    kept.set(uid, { ...before, ...more })
    return kept.get(uid)!
  }
  portal.agent.recordings = {
    list: () => [...kept.values()],
    async start({ recordingUid, ...input }) {
      const running = [...kept.values()].find(({ endedAt }) => endedAt === null)
      if (running) return running
      const startedAt = new Date().toISOString()
      kept.set(recordingUid, {
        ...{ recordingUid, ...input, startedAt },
        ...{ vmName: 'web', endedAt: null, end: null, bytes: 4 },
      })
      await writeFile(join(folder, recordingUid), 'data')
      return kept.get(recordingUid)!
    },
    stop: async (uid) => change(uid, { endedAt: new Date().toISOString(), end: 'stopped' }),
    async remove(uid) {
      kept.delete(uid)
    },
    file: (uid) => join(folder, uid),
  }
})
after(async () => {
  await portal.stop()
  await rm(folder, { recursive: true })
})

const fetchFile = (person: Person, uid: string, query = '') =>
  fetch(`${portal.url}/console/recordings/${uid}${query}`, { headers: { cookie: person.cookie } })

test('an administrator records, looks, downloads and deletes; each step is in the activity', async () => {
  const vm = await createRunning(portal, admin, 'web')
  const recording = await admin.trpc.recording.start.mutate({ vmId: vm.id, kind: 'serial' })
  assert.deepEqual(recording.vm, { id: vm.id, name: 'web', deleted: false })
  // Asked twice, it is one, and one line.
  const again = await admin.trpc.recording.start.mutate({ vmId: vm.id, kind: 'serial' })
  assert.equal(again.recordingUid, recording.recordingUid)
  const { recordingUid } = recording
  const stopped = await admin.trpc.recording.stop.mutate({ recordingUid })
  assert.equal(stopped.end, 'stopped')
  await admin.trpc.recording.stop.mutate({ recordingUid })
  assert.deepEqual(await admin.trpc.recording.list.query({ vmId: vm.id + 1 }), [])
  assert.equal((await admin.trpc.recording.list.query({})).length, 1)

  const played = await fetchFile(admin, recordingUid)
  assert.equal(await played.text(), 'data')
  assert.equal(played.headers.get('content-disposition'), null)
  const download = await fetchFile(admin, recordingUid, '?download')
  assert.match(
    download.headers.get('content-disposition') ?? '',
    /^attachment; filename="web-[\dT-]+\.cast"$/,
  )
  await download.body?.cancel()
  await admin.trpc.recording.delete.mutate({ recordingUid })
  assert.equal((await fetchFile(admin, recordingUid)).status, 404)
  assert.equal(await codeFrom(admin.trpc.recording.get.query({ recordingUid })), 'not_found')

  const { items } = await admin.trpc.activity.list.query({ vmId: vm.id })
  assert.deepEqual(
    items.map(({ summary }) => summary).filter((summary) => summary.includes('record')),
    [
      'Deleted a recording of the serial console of web',
      'Downloaded a recording of the serial console of web',
      'Looked at a recording of the serial console of web',
      'Stopped recording the serial console of web',
      'Began to record the serial console of web',
    ],
  )
})

test('nobody else may, and nothing is said while the host is away', async () => {
  const vm = (await member.trpc.vm.list.query())[0]!
  assert.equal(
    await codeFrom(member.trpc.recording.start.mutate({ vmId: vm.id, kind: 'serial' })),
    'forbidden',
  )
  const { recordingUid } = await admin.trpc.recording.start.mutate({ vmId: vm.id, kind: 'serial' })
  assert.equal((await fetchFile(member, recordingUid)).status, 403)
  assert.equal((await fetchFile(portal.connect(), recordingUid)).status, 401)
  // A VM without a screen has none to record.
  assert.equal(
    await codeFrom(admin.trpc.recording.start.mutate({ vmId: vm.id, kind: 'display' })),
    'invalid_state',
  )
  await portal.agent.stop()
  await portal.untilAway()
  assert.equal(await codeFrom(admin.trpc.recording.list.query({})), 'host_unavailable')
  assert.equal((await fetchFile(admin, recordingUid)).status, 503)
})
