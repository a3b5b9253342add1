import { PrismaClient } from '../generated/client.ts'
import { sqliteAdapter } from './sqlite-adapter/adapter.ts'

export type Database = PrismaClient
/** The client inside a transaction, or outside one. */
export type Queries = Omit<Database, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>

export function openDatabase(file: string): Database {
  return new PrismaClient({
    adapter: sqliteAdapter(file),
    // Longer than the adapter's own wait for another process that holds the database.
    transactionOptions: { maxWait: 40_000, timeout: 40_000 },
  })
}
