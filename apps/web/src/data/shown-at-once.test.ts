import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aVm } from '../features/vms/testing/a-vm.ts'
import { protectedVms, updatedVms } from './shown-at-once.ts'

test('only what a wish names changes, only of the VM it is about, and not what may be missing', () => {
  const [one, other] = [aVm({ id: 1, name: 'one' }), aVm({ id: 2, name: 'two' })]
  const shown = updatedVms([one, other], {
    id: 2,
    labels: { for: 'house' },
    name: 'renamed',
    cpus: 64,
    watchdog: null,
  })
  assert.equal(shown[0], one)
  assert.deepEqual(shown[1], { ...other, labels: { for: 'house' }, name: 'renamed', watchdog: null })
  assert.deepEqual(protectedVms([one], { id: 1, deleteProtected: true }), [{ ...one, deleteProtected: true }])
})
