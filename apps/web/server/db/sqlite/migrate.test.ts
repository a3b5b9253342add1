import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { migrationsFolder } from '../paths.ts'
import { sqlToSchema } from '../schema-diff.ts'
import { migrateSqlite as migrate } from './migrate.ts'

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-migrate-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

test('an empty file is brought to the schema, exactly; a second time does nothing', async (t) => {
  const file = path.join(await newFolder(t), 'hearth.db')
  const applied = await migrate(file)
  assert.ok(applied.length > 0)
  assert.equal(await sqlToSchema({ kind: 'sqlite', file }), '')
  assert.deepEqual(await migrate(file), [])
  assert.equal((await stat(file)).mode & 0o777, 0o600)
})

test('the comparison with the schema does find a difference', async (t) => {
  const file = path.join(await newFolder(t), 'hearth.db')
  await migrate(file)
  const database = new DatabaseSync(file)
  database.exec('DROP INDEX vm_project_id_name_key')
  database.close()
  assert.match(await sqlToSchema({ kind: 'sqlite', file }), /CREATE UNIQUE INDEX "vm_project_id_name_key"/)
})

test('a later migration is applied after a copy was made; one that fails is undone', async (t) => {
  const folder = await newFolder(t)
  const file = path.join(folder, 'hearth.db')
  await migrate(file)
  const migrations = path.join(folder, 'migrations')
  await cp(migrationsFolder.sqlite, migrations, { recursive: true })
  const add = async (name: string, sql: string) => {
    await mkdir(path.join(migrations, name))
    await writeFile(path.join(migrations, name, 'migration.sql'), sql)
  }
  await add('29990101000000_more', 'CREATE TABLE more (id INTEGER PRIMARY KEY);')
  assert.deepEqual(await migrate(file, migrations), ['29990101000000_more'])
  const copy = new DatabaseSync(path.join(folder, 'hearth.db.before-29990101000000_more'))
  assert.equal(copy.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'more'").get()?.n, 0)
  assert.equal(copy.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'vm'").get()?.n, 1)
  copy.close()

  await add('29990102000000_bad', 'CREATE TABLE half (id INTEGER); INSERT INTO nothing VALUES (1);')
  await assert.rejects(migrate(file, migrations), /29990102000000_bad failed/)
  const database = new DatabaseSync(file)
  assert.equal(database.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'half'").get()?.n, 0)
  database.close()
})

test('a database that a newer Hearth wrote is refused and left alone', async (t) => {
  const folder = await newFolder(t)
  const file = path.join(folder, 'hearth.db')
  await migrate(file)
  const database = new DatabaseSync(file)
  database.exec(
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'y', '29990101000000_future', 1)",
  )
  database.close()
  await assert.rejects(migrate(file), { code: 'unsupported_version', message: /newer Hearth/ })
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('before')),
    [],
  )
})

test('a file that is no database is refused', async (t) => {
  const file = path.join(await newFolder(t), 'hearth.db')
  await writeFile(file, 'this is a shopping list\n'.repeat(100))
  await assert.rejects(migrate(file), /not a database/)
})
