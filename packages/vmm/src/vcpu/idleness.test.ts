import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAllStats } from '../kvm/vcpu-stats.ts'
import { Kvm } from '../kvm/vm.ts'
import { close, gettid } from '../sys/libc.ts'
import { usableKvm } from '../testing/usable-kvm.ts'
import { allocateControl, TID } from './control.ts'
import { idleSinceNow, vcpuActivities } from './idleness.ts'

class Activity {
  halts = 0n
  halted = false
  ran = 0
  haltCount = (): bigint => this.halts
  isHalted = (): boolean => this.halted
  cpuMs = (): number => this.ran
}

test('a guest got round to it when each vCPU halted since, is halted, or had time for every program', (t) => {
  const [first, second] = [new Activity(), new Activity()]
  first.halts = 5n
  const idle = idleSinceNow([first, second])()
  assert.equal(idle(), false)
  first.halts = 6n
  assert.equal(idle(), false, 'the other one has not')
  second.ran = 399
  assert.equal(idle(), false)
  second.ran = 400
  assert.equal(idle(), true)

  const again = idleSinceNow([first, second])()
  assert.equal(again(), false, 'what was before does not count')
  first.halted = second.halted = true
  assert.equal(again(), true)
  first.halted = second.halted = false
  assert.equal(again(), true, 'once is for ever')

  let now = 1000
  t.mock.method(performance, 'now', () => now)
  const patience = idleSinceNow([first, second])()
  now += 4999
  assert.equal(patience(), false)
  now += 2
  assert.equal(patience(), true, 'a guest that stands still is not waited for for ever')
})

test('KVM tells of each vCPU whether it is halted, and the host how long its thread ran', {
  skip: !usableKvm && 'no /dev/kvm here',
}, () => {
  const vm = Kvm.open().createVm()
  vm.createInterruptChips()
  const fds = openAllStats([vm.createVcpu(0), vm.createVcpu(1)])
  if (fds === undefined) return
  const control = allocateControl(2)
  new Int32Array(control)[TID] = gettid()
  const [first, second] = vcpuActivities(fds, control)!
  assert.deepEqual([first!.haltCount(), second!.haltCount(), first!.isHalted()], [0n, 0n, false])
  const from = first!.cpuMs()
  assert.ok(from > 0)
  while (first!.cpuMs() - from < 20);
  assert.equal(second!.cpuMs(), 0, 'a thread that is not there yet never ran')
  for (const fd of fds) close(fd)
  assert.equal(vcpuActivities([-1], control), undefined, 'a descriptor without figures')
})
