import { PrismaClient } from '../generated/client.ts'
import type { DatabaseChoice } from './database-url.ts'
import { postgresAdapter } from './postgresql/adapter.ts'
import { sqliteAdapter } from './sqlite/adapter.ts'

export type Database = PrismaClient
/** The client inside a transaction, or outside one. */
export type Queries = Omit<Database, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>

// Longer than an adapter's own wait for another process that holds the database.
const transactionOptions = { maxWait: 40_000, timeout: 40_000 }

export async function openDatabase(choice: DatabaseChoice): Promise<Database> {
  if (choice.kind === 'sqlite') {
    return new PrismaClient({ adapter: sqliteAdapter(choice.file), transactionOptions })
  }
  // Loaded only where it is used. Both clients are generated from one schema, which has nothing that only one provider
  // has; what PostgreSQL's types offer beyond that (`mode`) is not to be used, and cannot be through this type.
  const generated = await import('../generated-postgresql/client.ts')
  const client = new generated.PrismaClient({ adapter: postgresAdapter(choice.url), transactionOptions })
  return client as unknown as Database
}
