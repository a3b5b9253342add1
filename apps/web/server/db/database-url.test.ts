import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { chosenDatabase, describeDatabase, keepDatabase } from './database-url.ts'

test('SQLite unless told otherwise; what was chosen is remembered, readable by its owner only, and can be taken back', async (t) => {
  const state = await mkdtemp(path.join(os.tmpdir(), 'hearth-choice-'))
  t.after(() => rm(state, { recursive: true }))
  const sqlite = { kind: 'sqlite', file: path.join(state, 'portal/hearth.db') }
  assert.deepEqual(await chosenDatabase(state, undefined), sqlite)
  assert.deepEqual(await chosenDatabase(state, ' '), sqlite)

  const postgres = await chosenDatabase(state, 'postgresql://hearth:secret@db.home.arpa/hearth')
  assert.deepEqual(await chosenDatabase(state, undefined), sqlite, 'not kept before it was opened')
  await keepDatabase(state, postgres)
  assert.deepEqual(await chosenDatabase(state, undefined), postgres)
  assert.equal((await stat(path.join(state, 'secrets/database-url'))).mode & 0o777, 0o600)

  const back = await chosenDatabase(state, 'sqlite')
  assert.deepEqual(back, sqlite)
  await keepDatabase(state, back)
  assert.deepEqual(await chosenDatabase(state, undefined), sqlite)
})

test('an address that cannot be one is refused with the form it should have', async () => {
  for (const [given, why] of [
    ['hearth', /not an address/],
    ['mysql://hearth@db/hearth', /mysql:.*no driver/],
    ['postgresql://hearth@db', /no database/],
  ] as const) {
    await assert.rejects(chosenDatabase('/nonexistent', given), { code: 'invalid_input', message: why })
  }
})

test('a database is named without its password', () => {
  const name = (url: string) => describeDatabase({ kind: 'postgresql', url })
  assert.equal(name('postgresql://h:secret@db/hearth'), 'the database hearth of PostgreSQL on db')
  assert.equal(name('postgresql:///my%20home?host=/run/pg'), 'the database my home of PostgreSQL on /run/pg')
})
