import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backupKeySchema } from '@hearth/shared/backup'
import { newRecoveryKey } from './recovery-key.ts'

test('a recovery key has groups, is another one each time, and is what a host takes', () => {
  const key = newRecoveryKey()
  assert.match(key, /^[0-9a-f]{8}(-[0-9a-f]{8}){7}$/)
  assert.notEqual(key, newRecoveryKey())
  assert.equal(backupKeySchema.parse(` ${key.toUpperCase()} `), key.replaceAll('-', ''))
  assert.match(backupKeySchema.safeParse(key.slice(1)).error?.issues[0]?.message ?? '', /64 digits/)
})
