import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { HearthError } from '@hearth/shared/errors'
import type { RecordingKind } from '@hearth/shared/recording'
import { until } from '../testing/agent-harness.ts'
import { Recordings } from './recordings.ts'

const vmUid = randomUUID()
const quiet = { info() {}, warn() {}, error() {}, debug() {} }

async function setUp(t: TestContext, limits?: { oneBytes: number; allBytes: number; freeBytes: number }) {
  const stateFolder = await mkdtemp(join(tmpdir(), 'hearth-recordings-'))
  const state = { running: true, hasDisplay: true, exists: true }
  /** The monitor's ends, newest last. */
  const monitor: Duplex[] = []
  const heard: Buffer[] = []
  const make = () =>
    new Recordings({
      stateFolder,
      log: quiet as never,
      ...(limits ? { limits } : {}),
      source: () =>
        state.exists
          ? {
              name: 'web',
              running: state.running,
              hasDisplay: state.hasDisplay,
              async connect() {
                const [ours, theirs] = duplexPair()
                theirs.on('data', (chunk: Buffer) => heard.push(chunk))
                theirs.on('error', () => {})
                monitor.push(theirs)
                return ours
              },
            }
          : null,
    })
  const recordings = make()
  await recordings.open()
  t.after(async () => {
    await recordings.close()
    await rm(stateFolder, { recursive: true })
  })
  const start = (kind: RecordingKind = 'serial') =>
    recordings.start({ recordingUid: randomUUID(), vmUid, kind, startedBy: 'Ada' })
  return { recordings, make, state, monitor, heard, start }
}

const code = (wanted: string) => (error: unknown) => (error as HearthError).code === wanted

test('a serial console as asciicast: from its beginning on, cut characters whole', async (t) => {
  const { recordings, monitor, start } = await setUp(t)
  const changes: string[] = []
  recordings.onChange((uid, kind) => changes.push(`${kind} ${recordings.isRecorded(uid, kind)}`))
  const { recordingUid } = await start()
  const euro = Buffer.from('€')
  monitor[0]!.write('HEARTH {"scrollback":6}\nsecret')
  monitor[0]!.write(Buffer.concat([Buffer.from('now '), euro.subarray(0, 1)]))
  const bytes = () => recordings.list()[0]!.bytes
  const header = bytes()
  await until('a piece', () => bytes() > header)
  const first = bytes()
  monitor[0]!.write(euro.subarray(1))
  await until('the rest', () => bytes() > first)
  assert.equal((await start()).recordingUid, recordingUid, 'a second one is the first one')
  const report = await recordings.stop(recordingUid)
  assert.equal(report.end, 'stopped')
  const lines = (await readFile(recordings.file(recordingUid), 'utf8')).trim().split('\n')
  const [about, ...events] = lines.map((line) => JSON.parse(line))
  assert.equal(about.version, 2)
  assert.equal(events.map(([, kind, text]) => kind + text).join(''), 'onow o€')
  assert.equal(report.bytes, lines.join('\n').length + 1 + 2)
  assert.deepEqual(changes, ['serial true', 'serial false'])
})

test('a screen as FBS: introduced as a viewer that may not type, handshake and all in the file', async (t) => {
  const { recordings, monitor, heard, start } = await setUp(t)
  const { recordingUid } = await start('display')
  monitor[0]!.write('RFB 003')
  monitor[0]!.write('.008\n')
  const said = () => Buffer.concat(heard).toString('latin1')
  await until('a request', () => said().includes('\u0003\u0001\0\0\0\0'))
  const [introduction] = said().split('\n')
  assert.match(introduction!, /^HEARTH \{"id":"recording-[^"]+","name":".+ Ada","input":false\}$/)
  assert.ok(said().includes('\nRFB 003.003\n\u0001'))
  monitor[0]!.write(Buffer.from([0, 0, 0, 1, 99]))
  await until('the bytes', () => recordings.list()[0]!.bytes >= 12 + 20 + 16)
  await recordings.stop(recordingUid)
  const file = await readFile(recordings.file(recordingUid))
  assert.equal(file.toString('latin1', 0, 12), 'FBS 001.000\n')
  assert.equal(file.readUInt32BE(12), 12)
  assert.equal(file.toString('latin1', 16, 28), 'RFB 003.003\n')
  assert.equal(file.readUInt32BE(32), 5)
  assert.deepEqual([...file.subarray(36, 44)], [0, 0, 0, 1, 99, 0, 0, 0])
  assert.ok(file.readUInt32BE(44) >= file.readUInt32BE(28))
})

test('it ends with its VM, with a broken connection, and with the agent, whose next start says so', async (t) => {
  const { recordings, make, state, monitor, start } = await setUp(t)
  const ended = async (uid: string) => {
    await until('the end', () => recordings.find(uid)?.endedAt)
    return recordings.find(uid)?.end
  }
  const first = await start()
  monitor[0]!.destroy()
  assert.equal(await ended(first.recordingUid), 'interrupted')
  const second = await start()
  state.running = false
  monitor[1]!.end()
  assert.equal(await ended(second.recordingUid), 'vm_stopped')
  await assert.rejects(start(), code('invalid_state'))
  state.running = true
  state.hasDisplay = false
  await assert.rejects(start('display'), code('invalid_state'))
  state.exists = false
  await assert.rejects(start(), code('not_found'))
  state.exists = true

  const third = await start()
  await assert.rejects(recordings.remove(third.recordingUid), code('invalid_state'))
  const next = make()
  await next.open()
  assert.equal(next.find(third.recordingUid)?.end, 'interrupted')
  assert.deepEqual(
    next.list().map(({ recordingUid }) => recordingUid),
    [third, second, first].map(({ recordingUid }) => recordingUid),
  )
  await next.close()
  await recordings.stop(third.recordingUid)
  await recordings.remove(first.recordingUid)
  assert.equal(recordings.find(first.recordingUid), undefined)
  await assert.rejects(recordings.stop(first.recordingUid), code('not_found'))
})

test('limits: one ends when it is full, old ones make room, too many at once are refused', async (t) => {
  const { recordings, monitor, start } = await setUp(t, { oneBytes: 1000, allBytes: 2500, freeBytes: 0 })
  const uids: string[] = []
  for (let round = 0; round < 3; round++) {
    const { recordingUid } = await start()
    uids.push(recordingUid)
    monitor[round]!.write('HEARTH {"scrollback":0}\n')
    for (let piece = 0; piece < 20; piece++) monitor[round]!.write('x'.repeat(100))
    await until('it to be full', () => recordings.find(recordingUid)?.end === 'full')
    assert.ok(recordings.find(recordingUid)!.bytes <= 1000)
  }
  // The third needed the room of the first.
  assert.equal(recordings.find(uids[0]!), undefined)
  assert.ok(recordings.find(uids[1]!) && recordings.find(uids[2]!))
  const tight = await setUp(t, { oneBytes: 1000, allBytes: 1500, freeBytes: 0 })
  await tight.start()
  await assert.rejects(tight.start('display'), code('resource_limit_exceeded'))
  const full = await setUp(t, { oneBytes: 1000, allBytes: 1500, freeBytes: Number.MAX_SAFE_INTEGER })
  await assert.rejects(full.start(), code('no_space'))
})
