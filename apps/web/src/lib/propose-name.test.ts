import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameSchema } from '@hearth/shared/names'
import { proposeName } from './propose-name.ts'

test('a proposed name is valid and free', () => {
  const taken = new Set<string>()
  for (let i = 0; i < 500; i++) {
    const name = proposeName(taken)
    assert.ok(nameSchema.safeParse(name).success, name)
    assert.ok(!taken.has(name))
    taken.add(name)
  }
})

test('when the proposal is taken a number makes it free', () => {
  assert.equal(
    proposeName(['amber-alder'], () => 0),
    'amber-alder-2',
  )
})
