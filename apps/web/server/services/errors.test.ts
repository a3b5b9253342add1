import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUniqueViolation } from './errors.ts'

/** As Prisma throws it: the adapter's own error has a property `name`, which is no column. */
function refused(constraint: object): Error {
  const cause = { kind: 'UniqueConstraintViolation', constraint }
  return Object.assign(new Error('Unique constraint failed'), {
    code: 'P2002',
    meta: { modelName: 'Action', driverAdapterError: { name: 'DriverAdapterError', cause } },
  })
}

test('the column of a refused row is found in what SQLite and what PostgreSQL say', () => {
  for (const constraint of [
    { fields: ['actor_user_id', 'idempotency_key'] },
    { index: 'action_actor_user_id_idempotency_key_key' },
  ]) {
    assert.equal(isUniqueViolation(refused(constraint)), true)
    assert.equal(isUniqueViolation(refused(constraint), 'idempotency_key'), true)
    assert.equal(isUniqueViolation(refused(constraint), 'name'), false)
  }
  assert.equal(isUniqueViolation(refused({ index: 'vm_project_id_name_key' }), 'name'), true)
  assert.equal(isUniqueViolation(new Error('name')), false)
})
