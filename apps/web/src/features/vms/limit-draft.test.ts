import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MIB } from '@hearth/shared/units'
import { draftOf, limitOf } from './limit-draft.ts'

test('a limit is typed in the units of its kind, and shown as it was typed', () => {
  const disk = { bytesPerSecond: 50 * MIB, operationsPerSecond: null, burstSeconds: 10 }
  assert.deepEqual(draftOf('disk', disk), { speed: '50', operations: '', burst: '10' })
  assert.deepEqual(limitOf('disk', draftOf('disk', disk)), { limit: disk, problem: null })
  const net = { bytesPerSecond: 12_500_000, operationsPerSecond: 20_000, burstSeconds: 1 }
  assert.equal(draftOf('network', net).speed, '100')
  assert.deepEqual(limitOf('network', draftOf('network', net)), { limit: net, problem: null })
  assert.deepEqual(limitOf('disk', { speed: '1,5', operations: '', burst: '1' }), {
    limit: { bytesPerSecond: 1.5 * MIB, operationsPerSecond: null, burstSeconds: 1 },
    problem: null,
  })
})

test('empty is no limit; what is no number or out of bounds is told by its field', () => {
  assert.deepEqual(limitOf('disk', draftOf('disk', null)), { limit: null, problem: null })
  const problem = (speed: string, operations: string) =>
    limitOf('disk', { speed, operations, burst: '1' }).problem
  assert.equal(problem('fast', ''), 'speed')
  assert.equal(problem('0.01', ''), 'speed')
  assert.equal(problem('', '9'), 'operations')
  assert.equal(problem('', '10.5'), 'operations')
  assert.equal(problem('', 'many'), 'operations')
})
