import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VmView } from '../../../server/views/index.ts'
import { failedAction, matchesVm, runningAction, vmStatus } from './vm-status.ts'

const yes = { ok: true, why: null } as const
const vm: VmView = {
  id: 1,
  vmUid: '00000000-0000-4000-8000-000000000000',
  name: 'quiet-kettle',
  project: { id: 1, name: 'Home' },
  image: { uid: 'debian-12', name: 'Debian 12' },
  cpus: 1,
  memoryBytes: 1,
  diskBytes: null,
  diskUsedBytes: null,
  mac: '52:54:00:00:00:01',
  loginUser: null,
  startAtBoot: false,
  deleteProtected: false,
  labels: {},
  display: null,
  hasScreen: false,
  desiredState: 'running',
  state: 'running',
  stateReason: null,
  lastState: 'running',
  since: null,
  observedAt: null,
  exitReason: null,
  panicked: false,
  addresses: ['10.0.0.7'],
  host: { id: 1, name: 'box', online: true },
  action: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  can: {
    start: yes,
    shutdown: yes,
    poweroff: yes,
    reset: yes,
    suspend: yes,
    update: yes,
    resize: yes,
    snapshot: yes,
    restore: yes,
    delete: yes,
    console: yes,
    screen: yes,
  },
}

test('an unknown state is the absence of its host, unless the host is there', () => {
  assert.deepEqual(vmStatus({ ...vm, state: 'unknown', host: { ...vm.host, online: false } }), {
    tone: 'away',
    label: 'Host away',
  })
  assert.deepEqual(vmStatus({ ...vm, state: 'unknown' }), { tone: 'away', label: 'Unknown' })
})

test('a VM that is to be deleted says so, whatever it does meanwhile', () => {
  assert.deepEqual(vmStatus({ ...vm, desiredState: 'deleted' }), { tone: 'busy', label: 'Deleting' })
})

test('the action of a VM is either under way or what failed last', () => {
  const action: NonNullable<VmView['action']> = {
    id: 1,
    command: 'start_vm',
    status: 'running',
    progress: 10,
    step: '',
    queued: false,
    error: null,
    startedAt: vm.createdAt,
    finishedAt: null,
    vm: null,
    image: null,
    actor: { kind: 'user', name: 'Ada' },
  }
  assert.equal(runningAction({ ...vm, action })?.id, 1)
  assert.equal(failedAction({ ...vm, action }), null)
  assert.equal(failedAction({ ...vm, action: { ...action, status: 'error' } })?.id, 1)
  assert.equal(runningAction({ ...vm, action: { ...action, status: 'success' } }), null)
})

test('a search looks at name, image, state and addresses, all words at once', () => {
  for (const query of ['kettle', 'DEBIAN', '10.0.0', 'running', 'debian quiet'])
    assert.ok(matchesVm(vm, query), query)
  for (const query of ['fedora', 'quiet fedora']) assert.equal(matchesVm(vm, query), false, query)
})
