import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyView, labelsOf, parseView, plainView, stateGroup, viewToSearch } from './list-view.ts'
import { aVm } from './testing/a-vm.ts'

const vms = [
  aVm({
    id: 1,
    name: 'web-10',
    memoryBytes: 4,
    labels: { env: 'prod', team: '' },
    since: '2026-05-01T00:00:00.000Z',
  }),
  aVm({ id: 2, name: 'web-2', memoryBytes: 4, state: 'stopped', desiredState: 'stopped', addresses: [] }),
  aVm({
    id: 3,
    name: 'db',
    memoryBytes: 8,
    labels: { env: 'test' },
    project: { id: 2, name: 'Work' },
    since: '2026-04-01T00:00:00.000Z',
  }),
  aVm({ id: 4, name: 'lab', memoryBytes: 1, state: 'crashed' }),
]
const names = (change: Partial<typeof plainView>) =>
  applyView(vms, { ...plainView, ...change }).map(({ name }) => name)

test('a view goes into the address bar and comes back the same', () => {
  const view = {
    query: 'a b&c',
    states: ['running', 'trouble'],
    labels: ['env=prod', 'team'],
    project: 7,
    sort: 'uptime',
    descending: true,
  } as const
  assert.deepEqual(parseView(new URLSearchParams(viewToSearch(view))), view)
  assert.equal(viewToSearch(plainView), '')
})

test('an address typed wrongly shows the plain list', () => {
  assert.deepEqual(parseView(new URLSearchParams('state=no,such&sort=-nothing&project=x&label=')), {
    ...plainView,
    descending: true,
  })
})

test('names sort as people count, and ties by name', () => {
  assert.deepEqual(names({}), ['db', 'lab', 'web-2', 'web-10'])
  assert.deepEqual(names({ sort: 'size' }), ['lab', 'web-2', 'web-10', 'db'])
  assert.deepEqual(names({ sort: 'size', descending: true }), ['db', 'web-2', 'web-10', 'lab'])
})

test('by uptime what runs longest comes last, and what does not run counts as nothing', () => {
  assert.deepEqual(names({ sort: 'uptime' }).slice(-2), ['web-10', 'db'])
})

test('filters narrow together', () => {
  assert.deepEqual(names({ states: ['trouble'] }), ['lab'])
  assert.deepEqual(names({ labels: ['env=prod'] }), ['web-10'])
  assert.deepEqual(names({ labels: ['env=prod', 'team'] }), ['web-10'])
  assert.deepEqual(names({ labels: ['env'] }), ['db', 'web-10'])
  assert.deepEqual(names({ labels: ['env'], project: 2 }), ['db'])
  assert.deepEqual(names({ states: ['running', 'stopped'], query: 'web' }), ['web-2', 'web-10'])
  assert.deepEqual(names({ labels: ['constructor'] }), [])
})

test('what failed last is in trouble, whatever its state', () => {
  assert.equal(stateGroup(vms[1]!), 'stopped')
  assert.equal(stateGroup(aVm({ state: 'unknown' })), 'away')
  assert.equal(stateGroup(aVm({ desiredState: 'deleted' })), 'busy')
})

test('the labels to choose from are all there are, each once', () => {
  assert.deepEqual(labelsOf(vms), ['env=prod', 'env=test', 'team'])
})
