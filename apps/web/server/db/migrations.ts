/** The folders of SQL that lead a database from nothing to this version, and which of them one still lacks. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { HearthError } from '@hearth/shared/errors'

export interface Migration {
  name: string
  sql: string
  checksum: string
}

export interface Applied {
  migration_name: string
  checksum: string
  finished_at: unknown
}

export const appliedQuery =
  'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL'

export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

/** `database` is its name for people. Refuses one that another or a newer Hearth made. */
export function findPending(known: Migration[], applied: Applied[], database: string): Migration[] {
  const byName = new Map(known.map((migration) => [migration.name, migration]))
  for (const row of applied) {
    const migration = byName.get(row.migration_name)
    if (!migration) {
      throw new HearthError(
        'unsupported_version',
        `The database ${database} was written by a newer Hearth (it has the change ${row.migration_name}, which this version does not know). Update Hearth, or use the copy made before that update.`,
      )
    }
    if (row.finished_at === null) {
      throw new HearthError(
        'internal',
        `The change ${row.migration_name} of the database ${database} was begun by another program and never finished. Put the copy made before it back in its place.`,
      )
    }
    if (row.checksum !== migration.checksum) {
      throw new HearthError(
        'unsupported_version',
        `The database ${database} was made by another build of Hearth (its change ${row.migration_name} differs from this one's). Use that build, or another state folder.`,
      )
    }
  }
  const done = new Set(applied.map((row) => row.migration_name))
  return known.filter(({ name }) => !done.has(name))
}

/** What a person is told when a migration fails, which leaves the database as it was. */
export function migrationFailed(name: string, error: unknown): HearthError {
  return new HearthError(
    'internal',
    `The database could not be brought to this version: its change ${name} failed and was undone. Nothing was lost; the previous version of Hearth still works with it.`,
    { log: `migration ${name} failed: ${String(error)}`, cause: error },
  )
}
