import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GIB } from '@hearth/shared/units'
import { fromField, toField } from './amounts.ts'

test('a limit in a form is GiB for bytes and a whole number for the rest', () => {
  assert.equal(toField('memory', 16 * GIB), '16')
  assert.equal(toField('memory', 1.5 * GIB), '1.5')
  assert.equal(toField('vcpus', 8), '8')
  assert.equal(fromField('memory', '1,5'), 1.5 * GIB)
  assert.equal(fromField('memory', '512M'), 0.5 * GIB)
  assert.equal(fromField('memory', '-512M'), null)
  assert.equal(fromField('vms', '5M'), null)
  assert.equal(fromField('vcpus', ' 8 '), 8)
  for (const bad of ['', '-1', 'x', '1.5', '99999999999999999999'])
    assert.equal(fromField('vms', bad), null, bad)
})
