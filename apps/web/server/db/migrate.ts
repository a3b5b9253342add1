/**
 * Applies the SQL files of prisma/migrations in order, each in a transaction, and records them as Prisma does
 * (`_prisma_migrations`), so that its tools agree with the database wherever they run.
 */
import { createHash, randomUUID } from 'node:crypto'
import { chmod, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { HearthError } from '@hearth/shared/errors'
import { migrationsFolder } from './paths.ts'
import { openConnection, whenNotBusy } from './sqlite-adapter/connection.ts'

interface Migration {
  name: string
  sql: string
  checksum: string
}

interface Applied {
  migration_name: string
  checksum: string
  finished_at: number | string | null
}

/** Returns the names of the migrations it applied. A copy of the file is made before the first one. */
export async function migrate(file: string, folder = migrationsFolder): Promise<string[]> {
  const known = await readMigrations(folder)
  const database = await whenNotBusy(() => openConnection(file))
  try {
    await chmod(file, 0o600)
    checkFile(database, file)
    await whenNotBusy(() => database.exec(migrationsTable))
    const applied = database
      .prepare(
        'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
      )
      .all() as unknown as Applied[]
    const pending = findPending(known, applied, file)
    if (pending.length === 0) return []
    if (applied.length > 0) await copyBefore(database, file, pending[0]!)
    // Cannot be switched inside a transaction; a migration that rebuilds a table needs it off, and the check
    // at its end finds what it would have refused.
    database.exec('PRAGMA foreign_keys = OFF')
    for (const migration of pending) await apply(database, migration)
    return pending.map(({ name }) => name)
  } finally {
    database.close()
  }
}

const migrationsTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id"                  TEXT PRIMARY KEY NOT NULL,
  "checksum"            TEXT NOT NULL,
  "finished_at"         DATETIME,
  "migration_name"      TEXT NOT NULL,
  "logs"                TEXT,
  "rolled_back_at"      DATETIME,
  "started_at"          DATETIME NOT NULL DEFAULT current_timestamp,
  "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
)`

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

function checkFile(database: DatabaseSync, file: string): void {
  const [row] = database.prepare('PRAGMA quick_check(1)').all()
  const verdict = row ? Object.values(row)[0] : 'nothing'
  if (verdict !== 'ok') {
    throw new HearthError(
      'internal',
      `The database ${file} is damaged (${String(verdict)}). Stop Hearth, keep that file, and put a copy back in its place.`,
    )
  }
}

function findPending(known: Migration[], applied: Applied[], file: string): Migration[] {
  const byName = new Map(known.map((migration) => [migration.name, migration]))
  for (const row of applied) {
    const migration = byName.get(row.migration_name)
    if (!migration) {
      throw new HearthError(
        'unsupported_version',
        `The database ${file} was written by a newer Hearth (it has the change ${row.migration_name}, which this version does not know). Update Hearth, or use the copy made before that update.`,
      )
    }
    if (row.finished_at === null) {
      throw new HearthError(
        'internal',
        `The change ${row.migration_name} of the database ${file} was begun by another program and never finished. Put the copy made before it back in its place.`,
      )
    }
    if (row.checksum !== migration.checksum) {
      throw new HearthError(
        'unsupported_version',
        `The database ${file} was made by another build of Hearth (its change ${row.migration_name} differs from this one's). Use that build, or another state folder.`,
      )
    }
  }
  const done = new Set(applied.map((row) => row.migration_name))
  return known.filter(({ name }) => !done.has(name))
}

/** `VACUUM INTO` copies a consistent state, the write-ahead log included. */
async function copyBefore(database: DatabaseSync, file: string, { name }: Migration): Promise<void> {
  const copy = `${file}.before-${name}`
  await rm(copy, { force: true })
  database.prepare('VACUUM INTO ?').run(copy)
  await chmod(copy, 0o600)
}

async function apply(database: DatabaseSync, { name, sql, checksum }: Migration): Promise<void> {
  const started = Date.now()
  await whenNotBusy(() => database.exec('BEGIN IMMEDIATE'))
  try {
    database.exec(sql)
    const broken = database.prepare('PRAGMA foreign_key_check').all()
    if (broken.length > 0) throw new Error(`${broken.length} rows refer to rows that are not there`)
    database
      .prepare(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES (?, ?, ?, ?, ?, 1)`,
      )
      .run(randomUUID(), checksum, name, started, Date.now())
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw new HearthError(
      'internal',
      `The database could not be brought to this version: its change ${name} failed and was undone. Nothing was lost; the previous version of Hearth still works with it.`,
      { log: `migration ${name} failed: ${String(error)}`, cause: error },
    )
  }
}
