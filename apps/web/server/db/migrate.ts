import { type DatabaseChoice, describeDatabase } from './database-url.ts'
import { migratePostgres } from './postgresql/migrate.ts'
import { migrateSqlite } from './sqlite/migrate.ts'

/** Makes what is missing of this version's tables. Returns the names of the migrations it applied. */
export function migrate(choice: DatabaseChoice): Promise<string[]> {
  if (choice.kind === 'sqlite') return migrateSqlite(choice.file)
  return migratePostgres(choice.url, describeDatabase(choice))
}
