/**
 * Brings an SQLite file to this version: the SQL files of prisma/migrations in order, each in a transaction, recorded
 * as Prisma does (`_prisma_migrations`), so that its tools agree with the database wherever they run.
 */
import { randomUUID } from 'node:crypto'
import { chmod, rm } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import { HearthError } from '@hearth/shared/errors'
import {
  type Applied,
  appliedQuery,
  findPending,
  type Migration,
  migrationFailed,
  readMigrations,
} from '../migrations.ts'
import { migrationsFolder } from '../paths.ts'
import { openConnection, whenNotBusy } from './connection.ts'

/** Returns the names of the migrations it applied. A copy of the file is made before the first one. */
export async function migrateSqlite(file: string, folder = migrationsFolder.sqlite): Promise<string[]> {
  const known = await readMigrations(folder)
  const database = await whenNotBusy(() => openConnection(file))
  try {
    await chmod(file, 0o600)
    checkFile(database, file)
    await whenNotBusy(() => database.exec(migrationsTable))
    const applied = database.prepare(appliedQuery).all() as unknown as Applied[]
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
    throw migrationFailed(name, error)
  }
}
