/**
 * Moves a home's data from its SQLite file to PostgreSQL: every row of every table in one transaction, compared before
 * it counts. Until the very end nothing has changed for anybody, and the file stays as it was even then.
 */
import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { HearthError } from '@hearth/shared/errors'
import { Client } from 'pg'
import type { DatabaseChoice } from './database-url.ts'
import { describeDatabase } from './database-url.ts'
import { migrate } from './migrate.ts'
import { clientConfig, connectionTrouble } from './postgresql/connection.ts'
import { holdDatabase } from './single-instance.ts'
import { openConnection } from './sqlite/connection.ts'

type From = Extract<DatabaseChoice, { kind: 'sqlite' }>
type To = Extract<DatabaseChoice, { kind: 'postgresql' }>

interface Column {
  name: string
  /** As information_schema says it. */
  type: string
  /** What numbers its rows, if anything does. */
  sequence: string | null
}

interface Table {
  name: string
  columns: Column[]
}

/** Rows written, or read back, at once. */
const batchRows = 500
/** Parameters of one statement (the protocol counts them in 16 bits). */
const maxParameters = 60_000

/** Returns how many rows each table has now. */
export async function moveDatabase(from: From, to: To): Promise<Map<string, number>> {
  // A portal that runs would go on writing into what is being left.
  const source = await holdDatabase(from, { waitMs: 0 })
  try {
    const target = await holdDatabase(to, { waitMs: 0 })
    try {
      await migrate(from)
      await migrate(to)
      return await copy(from, to)
    } finally {
      await target.release()
    }
  } finally {
    await source.release()
  }
}

async function copy(from: From, to: To): Promise<Map<string, number>> {
  const sqlite = openConnection(from.file, { readOnly: true })
  const client = new Client(clientConfig(to.url))
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('BEGIN')
    const tables = await tablesOf(client)
    requireSameTables(sqlite, tables)
    await requireEmpty(client, tables, describeDatabase(to))
    const moved = new Map<string, number>()
    for (const table of tables) moved.set(table.name, await copyTable(sqlite, client, table))
    for (const table of tables) await setSequences(sqlite, client, table)
    for (const table of tables) await compare(sqlite, client, table)
    await client.query('COMMIT')
    return moved
  } catch (error) {
    throw connectionTrouble(error, describeDatabase(to))
  } finally {
    sqlite.close()
    // Ends the transaction too, where it is not committed.
    await client.end().catch(() => {})
  }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/** Every table of ours, each after those that its rows refer to. */
async function tablesOf(client: Client): Promise<Table[]> {
  const { rows: columns } = await client.query<{
    table: string
    name: string
    type: string
    sequence: string | null
  }>(
    `SELECT c.table_name AS "table", c.column_name AS name, c.data_type AS type,
            pg_get_serial_sequence(quote_ident(c.table_name), c.column_name) AS sequence
     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> '_prisma_migrations'
     ORDER BY c.table_name, c.ordinal_position`,
  )
  const { rows: references } = await client.query<{ table: string; refers: string }>(
    `SELECT t.relname AS "table", r.relname AS refers FROM pg_constraint k
     JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
     WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace`,
  )
  const left = new Map<string, Column[]>()
  for (const { table, ...column } of columns) left.set(table, [...(left.get(table) ?? []), column])
  const ordered: Table[] = []
  while (left.size > 0) {
    const ready = [...left.keys()].filter((name) =>
      references.every(({ table, refers }) => table !== name || refers === name || !left.has(refers)),
    )
    if (ready.length === 0) throw new Error(`tables refer to each other in a circle: ${[...left.keys()]}`)
    for (const name of ready) {
      ordered.push({ name, columns: left.get(name)! })
      left.delete(name)
    }
  }
  return ordered
}

/** Both were just brought to this version; a difference would mean that something of the home is left behind. */
function requireSameTables(sqlite: DatabaseSync, tables: Table[]): void {
  const names = sqlite
    .prepare(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_prisma_migrations' ORDER BY name`,
    )
    .all()
    .map(({ name }) => String(name))
  const shape = (name: string, columns: string[]) => `${name}(${columns.sort().join()})`
  const here = names.map((name) =>
    shape(
      name,
      sqlite
        .prepare(`PRAGMA table_info(${quoted(name)})`)
        .all()
        .map((column) => String(column.name)),
    ),
  )
  const there = tables.map(({ name, columns }) =>
    shape(
      name,
      columns.map((column) => column.name),
    ),
  )
  const different = [...new Set([...here, ...there])].filter(
    (one) => !here.includes(one) || !there.includes(one),
  )
  if (different.length > 0) throw new Error(`the databases differ in ${different.join(', ')}`)
}

async function requireEmpty(client: Client, tables: Table[], where: string): Promise<void> {
  for (const { name } of tables) {
    const { rowCount } = await client.query(`SELECT 1 FROM ${quoted(name)} LIMIT 1`)
    if (rowCount)
      throw new HearthError(
        'conflict',
        `There is a home already in ${where}. Make an empty database for this one (createdb), and name that.`,
      )
  }
}

async function copyTable(sqlite: DatabaseSync, client: Client, table: Table): Promise<number> {
  const names = table.columns.map(({ name }) => quoted(name)).join()
  const atOnce = Math.min(batchRows, Math.floor(maxParameters / table.columns.length))
  let count = 0
  let batch: (string | number | boolean | null)[][] = []
  const write = async () => {
    if (batch.length === 0) return
    let next = 0
    const places = batch.map((row) => `(${row.map(() => `$${++next}`).join()})`).join()
    await client.query(`INSERT INTO ${quoted(table.name)} (${names}) VALUES ${places}`, batch.flat())
    count += batch.length
    batch = []
  }
  for (const row of rowsOf(sqlite, table)) {
    batch.push(row.map((value, index) => toPostgres(value, table.columns[index]!)))
    if (batch.length >= atOnce) await write()
  }
  await write()
  return count
}

function* rowsOf(sqlite: DatabaseSync, table: Table): Generator<SQLOutputValue[]> {
  const names = table.columns.map(({ name }) => quoted(name)).join()
  const statement = sqlite.prepare(`SELECT ${names} FROM ${quoted(table.name)}`)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  yield* statement.iterate() as unknown as Iterable<SQLOutputValue[]>
}

function toPostgres(value: SQLOutputValue, { name, type }: Column): string | number | boolean | null {
  if (value === null) return null
  if (type === 'boolean') return Boolean(Number(value))
  if (type.startsWith('timestamp')) return timeOf(value).toISOString()
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'object') throw new Error(`${name} holds bytes, which no column of ours does`)
  return value
}

/** Text as our adapter writes it, or milliseconds as Prisma's own tools did. */
function timeOf(value: SQLOutputValue | Date): Date {
  const time =
    value instanceof Date ? value : new Date(typeof value === 'bigint' ? Number(value) : String(value))
  if (Number.isNaN(time.getTime())) throw new Error(`${String(value)} is no time`)
  return time
}

/** Ids are never given twice, also not those of rows that are gone. */
async function setSequences(sqlite: DatabaseSync, client: Client, table: Table): Promise<void> {
  for (const { name, sequence } of table.columns) {
    if (sequence === null) continue
    const statement = sqlite.prepare(
      `SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = ?), 0), ifnull((SELECT max(${quoted(name)}) FROM ${quoted(table.name)}), 0)) AS last`,
    )
    const last = Number(statement.get(table.name)?.last ?? 0)
    if (last > 0) await client.query('SELECT setval($1, $2)', [sequence, last])
  }
}

/** Both sides give the same rows, whatever their order: compared by a sum of each row's own. */
async function compare(sqlite: DatabaseSync, client: Client, table: Table): Promise<void> {
  const here = new RowSum()
  for (const row of rowsOf(sqlite, table))
    here.add(row.map((value, index) => canonical(value, table.columns[index]!)))
  const there = new RowSum()
  const names = table.columns.map(({ name }) => quoted(name)).join()
  await client.query(`DECLARE moved CURSOR FOR SELECT ${names} FROM ${quoted(table.name)}`)
  for (;;) {
    const { rows } = await client.query<unknown[]>({
      text: `FETCH ${batchRows} FROM moved`,
      rowMode: 'array',
    })
    if (rows.length === 0) break
    for (const row of rows) there.add(row.map((value, index) => canonical(value, table.columns[index]!)))
  }
  await client.query('CLOSE moved')
  if (here.toString() !== there.toString())
    throw new HearthError(
      'internal',
      `The rows of ${table.name} did not arrive as they were (${here} and ${there}). Nothing was moved; the home is where it was.`,
    )
}

function canonical(value: unknown, { type }: Column): string {
  if (value === null) return '\0null'
  if (type === 'boolean') return String(Boolean(typeof value === 'boolean' ? value : Number(value)))
  if (type.startsWith('timestamp')) return String(timeOf(value as SQLOutputValue | Date).getTime())
  if (type === 'double precision') return String(Number(value))
  return String(value)
}

class RowSum {
  #rows = 0
  #sum = 0n

  add(values: string[]): void {
    this.#rows++
    const digest = createHash('sha256').update(JSON.stringify(values)).digest()
    this.#sum = BigInt.asUintN(
      128,
      this.#sum + digest.readBigUInt64LE(0) + (digest.readBigUInt64LE(8) << 64n),
    )
  }

  toString(): string {
    return `${this.#rows} rows, ${this.#sum.toString(16)}`
  }
}
