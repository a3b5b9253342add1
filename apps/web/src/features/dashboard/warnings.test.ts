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
  backups: { hosts: [], vms: [] },
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

test('a backup that is late or failed, and a backup disk that is missing or full, are told', () => {
  const target = {
    ...{ folder: '/mnt', state: 'ready', problem: null, sameDisk: false },
    ...{ totalBytes: 100, availableBytes: 50 },
  }
  const place = (change: object, online = true) => ({
    hosts: [{ id: 1, name: 'box', online, plan: null, target: { ...target, ...change } }],
  })
  const vm = (standing: string) => ({ vms: [{ vm: { id: 7, name: 'web' }, standing, error: 'No room.' }] })
  const told = (change: object) =>
    ids({ backups: { hosts: [], vms: [], ...change } as unknown as Home['backups'] })
  assert.deepEqual(told({ ...place({}), ...vm('good') }), [])
  assert.deepEqual(told(vm('waiting')), [])
  assert.deepEqual(told(vm('late')), ['warn backup-7'])
  assert.deepEqual(told(vm('failed')), ['bad backup-7'])
  assert.deepEqual(told(place({ state: 'missing', problem: 'Connect it.' })), ['bad backup-disk-1'])
  assert.deepEqual(told(place({ state: 'missing' }, false)), [])
  assert.deepEqual(told(place({ availableBytes: 4 })), ['warn backup-disk-1'])
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
