import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf, places } from './places.ts'

const at = (path: string) => placeOf(path, [...places().main, ...places().administration])?.href

test('a page belongs to the place it lies below', () => {
  assert.equal(at('/'), '/')
  assert.equal(at('/vms'), '/vms')
  assert.equal(at('/vms/7/console'), '/vms')
  assert.equal(at('/settings/ssh-keys'), '/settings/account')
})

test('the dashboard at / is not the place of everything', () => {
  assert.equal(at('/nowhere'), undefined)
  assert.equal(at('/vmsother'), undefined)
})
