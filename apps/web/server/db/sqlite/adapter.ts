/**
 * Prisma's driver adapter over node:sqlite. One connection writes, one at a time; another one reads, so that a
 * query beside an open transaction neither waits for it nor sees its unfinished work (WAL gives it a snapshot).
 */
import type { DatabaseSync } from 'node:sqlite'
import {
  DriverAdapterError,
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils'
import { Mutex } from '../mutex.ts'
import { type ConnectionOptions, openConnection, whenNotBusy } from './connection.ts'
import { mapError } from './errors.ts'
import { columnTypes, fromSqlite, toSqlite } from './values.ts'

const info = { provider: 'sqlite', adapterName: 'hearth-node-sqlite' } as const

function query(database: DatabaseSync, { sql, args, argTypes }: SqlQuery): SqlResultSet {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  const columns = statement.columns()
  const values = args.map((value, index) => toSqlite(value, argTypes[index]))
  const rows = statement.all(...values) as unknown as Parameters<typeof fromSqlite>[0][][]
  const types = columnTypes(columns, rows)
  return {
    columnNames: columns.map(({ name }) => name),
    columnTypes: types,
    rows: rows.map((row) => row.map((value, index) => fromSqlite(value, types[index]!))),
  }
}

function execute(database: DatabaseSync, { sql, args, argTypes }: SqlQuery): number {
  const values = args.map((value, index) => toSqlite(value, argTypes[index]))
  return Number(database.prepare(sql).run(...values).changes)
}

async function mapped<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw mapError(error)
  }
}

/** What cannot change anything, so that it may run on the reading connection. */
const readsOnly = /^\s*SELECT\b/i

class NodeSqliteAdapter implements SqlDriverAdapter {
  readonly provider = info.provider
  readonly adapterName = info.adapterName
  readonly #writer: DatabaseSync
  readonly #reader: DatabaseSync
  readonly #writing = new Mutex()

  constructor(writer: DatabaseSync, reader: DatabaseSync) {
    this.#writer = writer
    this.#reader = reader
  }

  queryRaw(params: SqlQuery): Promise<SqlResultSet> {
    if (readsOnly.test(params.sql)) return mapped(() => whenNotBusy(() => query(this.#reader, params)))
    return this.#exclusively(() => query(this.#writer, params))
  }

  executeRaw(params: SqlQuery): Promise<number> {
    return this.#exclusively(() => execute(this.#writer, params))
  }

  executeScript(script: string): Promise<void> {
    return this.#exclusively(() => this.#writer.exec(script))
  }

  async startTransaction(isolationLevel?: IsolationLevel): Promise<Transaction> {
    if (isolationLevel && isolationLevel !== 'SERIALIZABLE')
      throw new DriverAdapterError({ kind: 'InvalidIsolationLevel', level: isolationLevel })
    const release = await this.#writing.acquire()
    try {
      // IMMEDIATE takes the write lock now: a transaction that begins by reading can otherwise fail half-way with
      // SQLITE_BUSY that no waiting cures, because its snapshot has become old.
      await mapped(() => whenNotBusy(() => this.#writer.exec('BEGIN IMMEDIATE')))
    } catch (error) {
      release()
      throw error
    }
    return new NodeSqliteTransaction(this.#writer, release)
  }

  getConnectionInfo() {
    // SQLITE_MAX_VARIABLE_NUMBER of the library inside Node is 32766; Prisma splits long lists below it.
    return { maxBindValues: 32_766, supportsRelationJoins: false }
  }

  async dispose(): Promise<void> {
    const release = await this.#writing.acquire()
    try {
      if (this.#reader.isOpen && this.#reader !== this.#writer) this.#reader.close()
      if (this.#writer.isOpen) this.#writer.close()
    } finally {
      release()
    }
  }

  async #exclusively<T>(work: () => T): Promise<T> {
    const release = await this.#writing.acquire()
    try {
      return await mapped(() => whenNotBusy(work))
    } finally {
      release()
    }
  }
}

class NodeSqliteTransaction implements Transaction {
  readonly provider = info.provider
  readonly adapterName = info.adapterName
  /** Prisma leaves COMMIT and ROLLBACK to us. */
  readonly options = { usePhantomQuery: true }
  readonly #database: DatabaseSync
  readonly #release: () => void

  constructor(database: DatabaseSync, release: () => void) {
    this.#database = database
    this.#release = release
  }

  queryRaw(params: SqlQuery): Promise<SqlResultSet> {
    return mapped(() => query(this.#database, params))
  }

  executeRaw(params: SqlQuery): Promise<number> {
    return mapped(() => execute(this.#database, params))
  }

  async commit(): Promise<void> {
    try {
      await mapped(() => this.#database.exec('COMMIT'))
    } finally {
      this.#end()
    }
  }

  async rollback(): Promise<void> {
    this.#end()
  }

  async createSavepoint(name: string): Promise<void> {
    await mapped(() => this.#database.exec(`SAVEPOINT ${name}`))
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await mapped(() => this.#database.exec(`ROLLBACK TO ${name}`))
  }

  async releaseSavepoint(name: string): Promise<void> {
    await mapped(() => this.#database.exec(`RELEASE SAVEPOINT ${name}`))
  }

  /** A full disk or an I/O error may have rolled back already; whatever is left open must not stay open. */
  #end(): void {
    try {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } finally {
      this.#release()
    }
  }
}

export function sqliteAdapter(
  file: string,
  options: Pick<ConnectionOptions, 'doubleQuotedStrings'> = {},
): SqlMigrationAwareDriverAdapterFactory {
  const connect = async (path: string): Promise<SqlDriverAdapter> => {
    const writer = await whenNotBusy(() => openConnection(path, options))
    // A database in memory belongs to its connection.
    const reader = path === ':memory:' ? writer : openConnection(path, { ...options, readOnly: true })
    return new NodeSqliteAdapter(writer, reader)
  }
  return { ...info, connect: () => connect(file), connectToShadowDb: () => connect(':memory:') }
}
