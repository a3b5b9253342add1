import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostView } from '../../../server/views/index.ts'
import { aVm } from '../vms/testing/a-vm.ts'
import { type Home, warningsOf } from './warnings.ts'

const host = (change: Partial<NonNullable<HostView['info']>> = {}, online = true): HostView => ({
  id: 1,
  name: 'box',
  online,
  lastSeenAt: null,
  bridges: [],
  differences: [],
  info: {
    ...{ protocol: 1, version: '0', hostname: 'box', kind: 'kvm', kernel: '', cpuModel: '', cpus: 4 },
    ...{ memoryBytes: 100, memoryAvailableBytes: 50, diskBytes: 100, diskAvailableBytes: 50, network: 'nat' },
    bootedAt: '2026-01-01T00:00:00.000Z',
    ...change,
  },
})
const calm: Home = {
  hosts: [host()],
  images: [],
  vms: [aVm()],
  projects: [],
  temperatures: new Map([[1, 45]]),
}
const ids = (change: Partial<Home>) =>
  warningsOf({ ...calm, ...change }).map(({ id, tone }) => `${tone} ${id}`)

test('a home in order has nothing to say', () => {
  assert.deepEqual(ids({}), [])
})

test('a disk warns while there is time, and cries when there is none', () => {
  assert.deepEqual(ids({ hosts: [host({ diskAvailableBytes: 14 })] }), ['warn disk-1'])
  assert.deepEqual(ids({ hosts: [host({ diskAvailableBytes: 4 })] }), ['bad disk-1'])
})

test('the worst comes first', () => {
  assert.deepEqual(
    ids({
      temperatures: new Map([[1, 91]]),
      vms: [aVm({ id: 7, state: 'crashed' })],
      hosts: [host({}, false)],
    }),
    ['bad away-1', 'bad vm-7', 'warn hot-1'],
  )
})

test('an image that VMs are made of is told when it is out of date, to those who can renew it', () => {
  const image = (change: object) => ({ id: 3, name: 'Debian 12', outdated: true, usedBy: 2, ...change })
  const can = (ok: boolean) => ({ can: { make: { ok } } })
  const shown = (change: object) => ids({ images: [image(change) as unknown as Home['images'][number]] })
  assert.deepEqual(shown(can(true)), ['warn outdated-3'])
  assert.deepEqual(shown({ ...can(true), usedBy: 0 }), [])
  assert.deepEqual(shown(can(false)), [])
  assert.deepEqual(shown({ ...can(true), outdated: false }), [])
})
