/**
 * `node apps/web/server/db/new-migration.ts NAME`: writes the SQL from the migrations so far to prisma/schema.prisma
 * as a new migration, for each provider whose migrations do not lead there yet. Read it before you commit it.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { startPostgres } from '../testing/postgres-server.ts'
import type { DatabaseChoice } from './database-url.ts'
import { migrate } from './migrate.ts'
import { migrationsFolder } from './paths.ts'
import { sqlToSchema } from './schema-diff.ts'

const name = process.argv[2]
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error('Usage: node apps/web/server/db/new-migration.ts NAME (lower case, digits, underscores)')
  process.exit(1)
}
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-migration-'))
const postgres = await startPostgres()
try {
  await writeMigration({ kind: 'sqlite', file: path.join(folder, 'empty.db') })
  await writeMigration({ kind: 'postgresql', url: await postgres.createDatabase('empty') })
} finally {
  await postgres.stop()
  await rm(folder, { recursive: true })
}

async function writeMigration(empty: DatabaseChoice): Promise<void> {
  await migrate(empty)
  const sql = await sqlToSchema(empty)
  if (sql === '') return console.log(`${empty.kind}: the migrations already lead to the schema.`)
  const target = path.join(migrationsFolder[empty.kind], `${stamp}_${name}`)
  await mkdir(target, { recursive: true })
  await writeFile(path.join(target, 'migration.sql'), sql)
  console.log(target)
}
