import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelsSchema } from '../views/label.ts'
import { parseLabelSelector } from './labels.ts'

const labels = { env: 'prod', 'example.org/tier': 'web', empty: '' }

test('selectors', () => {
  const holds: [string, boolean][] = [
    ['env', true],
    ['!env', false],
    ['nothing', false],
    ['!nothing', true],
    ['env=prod', true],
    ['env==prod', true],
    ['env!=prod', false],
    ['nothing!=prod', true],
    ['env=', false],
    ['empty=', true],
    ['env in (prod, test)', true],
    ['env notin (prod,test)', false],
    ['nothing notin (a)', true],
    ['example.org/tier=web', true],
    ['env=prod,example.org/tier=web', true],
    ['env in (prod,test),!nothing,empty', true],
    ['env=prod,nothing', false],
  ]
  for (const [selector, expected] of holds)
    assert.equal(parseLabelSelector(selector)(labels), expected, selector)
  for (const bad of ['', '=', 'a b', 'env=prod,', 'in (a)', '(a)', 'a/b/c'])
    assert.throws(() => parseLabelSelector(bad), /cannot be read/, bad)
})

test('labels', () => {
  assert.ok(labelsSchema.safeParse(labels).success)
  for (const bad of [{ '-a': 'x' }, { a: 'b c' }, { ['a'.repeat(64)]: '' }, { '': 'x' }])
    assert.equal(labelsSchema.safeParse(bad).success, false, JSON.stringify(bad))
})
