/**
 * `node apps/web/server/db/new-migration.ts NAME`: writes the SQL from the migrations so far to prisma/schema.prisma
 * as a new migration. Read it before you commit it.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { migrate } from './migrate.ts'
import { migrationsFolder, schemaFile } from './paths.ts'
import { sqlToSchema } from './schema-diff.ts'

const name = process.argv[2]
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error('Usage: node apps/web/server/db/new-migration.ts NAME (lower case, digits, underscores)')
  process.exit(1)
}
const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-migration-'))
try {
  const file = path.join(folder, 'empty.db')
  await migrate(file)
  const sql = await sqlToSchema(file, schemaFile)
  if (sql === '') {
    console.log('The migrations already lead to the schema.')
  } else {
    const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
    const target = path.join(migrationsFolder, `${stamp}_${name}`)
    await mkdir(target, { recursive: true })
    await writeFile(path.join(target, 'migration.sql'), sql)
    console.log(target)
  }
} finally {
  await rm(folder, { recursive: true })
}
