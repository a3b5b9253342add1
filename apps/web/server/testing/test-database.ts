/**
 * `npm test` runs the tests of the portal's rules a second time on PostgreSQL: it starts a server, says where by
 * HEARTH_TEST_POSTGRES, and each portal of a test gets a database of its own there.
 */
import { Client } from 'pg'
import { migrate } from '../db/migrate.ts'

const template = 'hearth_template'
let counter = 0

/** An empty, migrated database on the server of this test run; undefined: SQLite in the state folder. */
export async function newTestDatabase(): Promise<string | undefined> {
  const server = process.env.HEARTH_TEST_POSTGRES
  if (!server) return undefined
  const name = `test_${process.pid}_${++counter}`
  const client = new Client(server)
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  } finally {
    await client.end()
  }
  return named(server, name)
}

/** Once for a server, before any `newTestDatabase`. */
export async function makeTemplate(server: string): Promise<void> {
  const client = new Client(server)
  await client.connect()
  await client.query(`CREATE DATABASE ${template} TEMPLATE template0`)
  await client.end()
  await migrate({ kind: 'postgresql', url: named(server, template) })
}

function named(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}
