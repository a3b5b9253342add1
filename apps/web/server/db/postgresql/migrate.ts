/**
 * Brings a PostgreSQL database to this version: the SQL files of prisma/postgresql/migrations in order, all in one
 * transaction (PostgreSQL takes changes of tables back like any other), recorded as Prisma does.
 */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import { Client } from 'pg'
import { type Applied, appliedQuery, findPending, migrationFailed, readMigrations } from '../migrations.ts'
import { migrationsFolder } from '../paths.ts'
import { clientConfig, connectionTrouble, MIGRATION_LOCK } from './connection.ts'

/** Returns the names of the migrations it applied. `name` says which database it is, for people. */
export async function migratePostgres(
  url: string,
  name: string,
  folder = migrationsFolder.postgresql,
): Promise<string[]> {
  const known = await readMigrations(folder)
  const client = new Client(clientConfig(url))
  // A connection that breaks also fails the query under way; without a listener it would end the process as well.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('BEGIN')
    // Two programs that start at once: the second finds everything done.
    await client.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`)
    await refuseForeign(client, name)
    await client.query(migrationsTable)
    const { rows } = await client.query<Applied>(appliedQuery)
    const pending = findPending(known, rows, name)
    for (const migration of pending) {
      try {
        await client.query(migration.sql)
      } catch (error) {
        throw migrationFailed(migration.name, error)
      }
      await client.query(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, now(), 1)`,
        [randomUUID(), migration.checksum, migration.name],
      )
    }
    await client.query('COMMIT')
    return pending.map((migration) => migration.name)
  } catch (error) {
    throw connectionTrouble(error, name)
  } finally {
    // Ends the transaction too, where it is not committed.
    await client.end().catch(() => {})
  }
}

/** DATABASE_URL is a name that other programs read too: tables that are not ours stay alone. */
async function refuseForeign(client: Client, name: string): Promise<void> {
  const { rows } = await client.query<{ table: string }>(
    `SELECT c.relname AS "table" FROM pg_class c
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1`,
  )
  const tables = rows.map(({ table }) => table)
  if (tables.length === 0 || tables.includes('_prisma_migrations')) return
  throw new HearthError(
    'conflict',
    `There are tables of another program in ${name} (${tables.slice(0, 3).join(', ')}). Make a database for Hearth alone, and correct DATABASE_URL.`,
  )
}

const migrationsTable = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`
