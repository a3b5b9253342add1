import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VmView } from '../../../server/views/index.ts'
import { aVm } from './testing/a-vm.ts'
import { failedAction, matchesVm, runningAction, vmStatus } from './vm-status.ts'

const vm = aVm()

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
    steps: [],
    cancelled: false,
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
