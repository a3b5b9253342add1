import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import { can } from '../../../server/views/common.ts'
import type { HostView, ImageView, SizeView } from '../../../server/views/index.ts'
import {
  customFrom,
  type Draft,
  type DraftWorld,
  draftProblems,
  figures,
  parseGib,
  parseLabels,
  sizeProblem,
  toInputs,
} from './draft.ts'

const debian: ImageView = {
  id: 1,
  uid: 'debian-12',
  name: 'Debian 12',
  description: '',
  status: 'ready',
  outdated: false,
  progress: 100,
  step: '',
  error: null,
  storedBytes: 1,
  cloudInit: true,
  graphical: false,
  loginUser: 'debian',
  minMemoryBytes: 512 * MIB,
  minDiskBytes: 4 * GIB,
  createdAt: '2026-01-01T00:00:00.000Z',
  action: null,
  ...{
    kind: 'disk',
    source: 'build',
    boot: 'direct',
    version: '',
    origin: '',
    project: null,
    transfer: null,
  },
  ...{ downloadBytes: 0, diskBytes: null, sha256: null, usedBy: 0, deleteProtected: false, upload: null },
  can: { use: can, make: can, cancel: can, change: can, delete: can },
}
const tiny: ImageView = {
  ...debian,
  uid: 'tiny',
  cloudInit: false,
  minDiskBytes: 0,
  minMemoryBytes: 128 * MIB,
}
const small: SizeView = {
  name: 'small',
  label: 'Small',
  cpus: 1,
  memoryBytes: GIB,
  diskBytes: 10 * GIB,
  fits: { ok: true, why: null },
}
const host: HostView = {
  id: 1,
  name: 'box',
  online: true,
  lastSeenAt: null,
  bridges: [],
  differences: [],
  info: {
    protocol: 1,
    version: '0',
    hostname: 'box',
    kind: 'kvm',
    kernel: '',
    cpuModel: '',
    cpus: 4,
    memoryBytes: 8 * GIB,
    memoryAvailableBytes: 6 * GIB,
    diskBytes: 100 * GIB,
    diskAvailableBytes: 50 * GIB,
    network: 'nat',
    bootedAt: '2026-01-01T00:00:00.000Z',
  },
}
const world: DraftWorld = {
  image: debian,
  sizes: [small],
  host,
  takenNames: new Set(['amber-owl']),
  keys: new Map([[7, 'ssh-ed25519 AAAA me']]),
  quota: undefined,
}
const draft: Draft = {
  projectId: null,
  imageUid: 'debian-12',
  size: 'small',
  cpus: '2',
  memory: '2',
  disk: '',
  name: 'quiet-fern',
  user: 'ada',
  password: 'abcd-efgh',
  keyIds: [7],
  labels: '',
  userData: '',
  count: '1',
  bridge: '',
  keyboard: 'de',
  startAtBoot: true,
  start: true,
}

test('own figures begin with those of the size that was chosen', () => {
  const chosen = { ...draft, size: 'small', cpus: '99', memory: '99' }
  const own = { ...chosen, ...customFrom(chosen, world.sizes) }
  assert.equal(own.size, 'custom')
  assert.deepEqual(figures(own, world), figures(chosen, world))
  assert.deepEqual(draftProblems(own, world), {})
})

test('a filled draft becomes a request', () => {
  assert.deepEqual(draftProblems(draft, world), {})
  assert.deepEqual(toInputs(draft, world, 'key-12345'), [
    {
      name: 'quiet-fern',
      imageUid: 'debian-12',
      cpus: 1,
      memoryBytes: GIB,
      diskBytes: 10 * GIB,
      user: 'ada',
      password: 'abcd-efgh',
      sshKeys: ['ssh-ed25519 AAAA me'],
      startAtBoot: true,
      start: true,
      idempotencyKey: 'key-12345-1',
    },
  ])
})

test('an image without cloud-init and disk asks for neither', () => {
  const [input] = toInputs(
    { ...draft, user: '', password: '', keyIds: [7] },
    { ...world, image: tiny },
    'key-12345',
  )!
  assert.ok(input)
  assert.equal('diskBytes' in input, false)
  assert.equal('user' in input, false)
  assert.deepEqual(input.sshKeys, [])
})

test('a VM with a screen is told of the keyboard, another is not', () => {
  const displayOf = (image: ImageView) => toInputs(draft, { ...world, image }, 'key-12345')?.[0]?.display
  assert.equal(displayOf(debian), undefined)
  assert.deepEqual(displayOf({ ...debian, graphical: true }), { keyboard: 'de' })
  assert.deepEqual(displayOf({ ...debian, kind: 'iso' }), { keyboard: 'de' })
})

test('each mistake is told at its field', () => {
  const at = (change: Partial<Draft>) => Object.keys(draftProblems({ ...draft, ...change }, world))
  assert.deepEqual(at({ name: 'Quiet' }), ['name'])
  assert.deepEqual(at({ name: 'amber-owl' }), ['name'])
  assert.deepEqual(at({ size: 'custom', cpus: '5' }), ['cpus'])
  assert.deepEqual(at({ size: 'custom', cpus: '1.5' }), ['cpus'])
  assert.deepEqual(at({ size: 'custom', memory: '0.25' }), ['memory'])
  assert.deepEqual(at({ size: 'custom', memory: '9' }), ['memory'])
  assert.deepEqual(at({ disk: '3' }), ['disk'])
  assert.deepEqual(at({ disk: 'much' }), ['disk'])
  assert.deepEqual(at({ user: 'root' }), ['user'])
  assert.deepEqual(at({ user: 'Ada' }), ['user'])
  assert.deepEqual(at({ password: 'short' }), ['password'])
  assert.deepEqual(at({ password: '', keyIds: [] }), ['login'])
  assert.equal(toInputs({ ...draft, password: '', keyIds: [] }, world, 'key-12345'), null)
})

test('sizes are read as GiB, with a comma too, or with their own unit', () => {
  assert.equal(parseGib('1.5'), 1.5 * GIB)
  assert.equal(parseGib('1,5'), 1.5 * GIB)
  assert.equal(parseGib('512M'), 512 * MIB)
  assert.equal(parseGib('0.0001'), undefined)
  assert.equal(parseGib('x'), undefined)
})

test('the disk grows to what the image needs', () => {
  const large: DraftWorld = { ...world, image: { ...debian, minDiskBytes: 30 * GIB } }
  assert.equal(figures(draft, large).diskBytes, 30 * GIB)
})

test('a size below the need of the image says so', () => {
  assert.equal(sizeProblem(small, debian), null)
  assert.match(sizeProblem({ ...small, memoryBytes: 256 * MIB }, debian) ?? '', /512 MiB/)
  assert.equal(sizeProblem({ ...small, fits: { ok: false, why: 'too big' } }, debian), 'too big')
})

test('several alike are numbered, each a request of its own', () => {
  const inputs = toInputs({ ...draft, count: '3', projectId: 4 }, world, 'key-12345')!
  assert.deepEqual(
    inputs.map(({ name, idempotencyKey, projectId }) => [name, idempotencyKey, projectId]),
    [
      ['quiet-fern-1', 'key-12345-1', 4],
      ['quiet-fern-2', 'key-12345-2', 4],
      ['quiet-fern-3', 'key-12345-3', 4],
    ],
  )
  const taken = { ...world, takenNames: new Set(['quiet-fern-2']) }
  assert.match(draftProblems({ ...draft, count: '3' }, taken).name ?? '', /quiet-fern-2/)
  for (const count of ['0', '21', 'two', '1.5'])
    assert.deepEqual(Object.keys(draftProblems({ ...draft, count }, world)), ['count'])
})

test('labels are words with or without a value', () => {
  assert.deepEqual(parseLabels(' env=home, web '), { env: 'home', web: '' })
  assert.equal(parseLabels('env=ho me=='), undefined)
  assert.deepEqual(toInputs({ ...draft, labels: 'env=home' }, world, 'key-12345')?.[0]?.labels, {
    env: 'home',
  })
})

test('what does not fit the quota names the resource, what is asked and what is left', () => {
  const quota = [
    { key: 'vms', used: 3, limit: 5 },
    { key: 'memory', used: 15 * GIB, limit: 16 * GIB },
    { key: 'vm_memory', used: 0, limit: 2 * GIB },
    { key: 'disk', used: 90 * GIB, limit: null },
  ] as const
  const limited = { ...world, quota }
  assert.deepEqual(draftProblems(draft, limited), {})
  const why = draftProblems({ ...draft, count: '2' }, limited).quota ?? ''
  assert.match(why, /Memory.*2 GiB.*1 GiB/)
  assert.match(draftProblems({ ...draft, count: '3', start: false }, limited).quota ?? '', /VMs.*3.*2/)
  // The most one VM may have is not multiplied by their number.
  assert.deepEqual(draftProblems({ ...draft, count: '2', start: false }, limited), {})
})
