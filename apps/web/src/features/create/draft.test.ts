import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import { can } from '../../../server/views/common.ts'
import type { HostView, ImageView, SizeView } from '../../../server/views/index.ts'
import {
  type Draft,
  type DraftWorld,
  draftProblems,
  figures,
  parseGib,
  sizeProblem,
  toInput,
} from './draft.ts'

const debian: ImageView = {
  id: 1,
  uid: 'debian-12',
  name: 'Debian 12',
  description: '',
  status: 'ready',
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
}
const draft: Draft = {
  imageUid: 'debian-12',
  size: 'small',
  cpus: '2',
  memory: '2',
  disk: '',
  name: 'quiet-fern',
  user: 'ada',
  password: 'abcd-efgh',
  keyIds: [7],
  startAtBoot: true,
}

test('a filled draft becomes a request', () => {
  assert.deepEqual(draftProblems(draft, world), {})
  assert.deepEqual(toInput(draft, world, 'key-12345'), {
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
    idempotencyKey: 'key-12345',
  })
})

test('an image without cloud-init and disk asks for neither', () => {
  const input = toInput(
    { ...draft, user: '', password: '', keyIds: [7] },
    { ...world, image: tiny },
    'key-12345',
  )
  assert.ok(input)
  assert.equal('diskBytes' in input, false)
  assert.equal('user' in input, false)
  assert.deepEqual(input.sshKeys, [])
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
  assert.equal(toInput({ ...draft, password: '', keyIds: [] }, world, 'key-12345'), null)
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
