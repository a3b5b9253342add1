/**
 * Prisma's driver adapter for PostgreSQL, with the promise our SQLite adapter gives: one writer at a time. The portal's
 * rules read, decide and write inside one transaction and count on nobody writing in between. PostgreSQL would keep that
 * promise by SERIALIZABLE too, but by failing transactions that have to be run again; a home's few writes can queue.
 */

import { PrismaPg } from '@prisma/adapter-pg'
import type {
  IsolationLevel,
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  SqlQuery,
  SqlResultSet,
  Transaction,
} from '@prisma/driver-adapter-utils'
import { Mutex } from '../mutex.ts'
import { poolConfig, WRITE_LOCK } from './connection.ts'

const readsOnly = /^\s*SELECT\b/i

/** SQLite compares LIKE without regard to case, PostgreSQL has a word of its own for that. Values are never in the text. */
const asSqlite = (query: SqlQuery): SqlQuery => ({
  ...query,
  sql: query.sql.replace(/ LIKE (?=[($])/g, ' ILIKE '),
})

const plain = (sql: string): SqlQuery => ({ sql, args: [], argTypes: [] })

class OneWriterAdapter implements SqlDriverAdapter {
  readonly provider = 'postgres'
  readonly adapterName = '@hearth/one-writer-pg'
  readonly #inner: SqlDriverAdapter
  /**
   * Whoever waits for the lock in the database holds a connection. Of one process only one does, so that the
   * others of its pool stay free for reading, also from within the transaction that has the lock.
   */
  readonly #writing = new Mutex()

  constructor(inner: SqlDriverAdapter) {
    this.#inner = inner
  }

  queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    if (readsOnly.test(query.sql)) return this.#inner.queryRaw(asSqlite(query))
    return this.#alone((transaction) => transaction.queryRaw(query))
  }

  executeRaw(query: SqlQuery): Promise<number> {
    return this.#alone((transaction) => transaction.executeRaw(query))
  }

  executeScript(script: string): Promise<void> {
    return this.#inner.executeScript(script)
  }

  async startTransaction(isolationLevel?: IsolationLevel): Promise<Transaction> {
    const release = await this.#writing.acquire()
    let transaction: Transaction | undefined
    try {
      transaction = await this.#inner.startTransaction(isolationLevel)
      // Also against another process: `npm run hearth` beside a running portal. Released with the transaction.
      await transaction.executeRaw(plain(`SELECT pg_advisory_xact_lock(${WRITE_LOCK})`))
    } catch (error) {
      await transaction?.executeRaw(plain('ROLLBACK')).catch(() => {})
      await transaction?.rollback()
      release()
      throw error
    }
    return new OneWriterTransaction(transaction, release)
  }

  getConnectionInfo() {
    return this.#inner.getConnectionInfo?.() ?? { supportsRelationJoins: false }
  }

  dispose(): Promise<void> {
    return this.#inner.dispose()
  }

  /** Prisma sends COMMIT and ROLLBACK itself in its own transactions; these are ours. */
  async #alone<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction = await this.startTransaction()
    try {
      const result = await work(transaction)
      await transaction.executeRaw(plain('COMMIT'))
      await transaction.commit()
      return result
    } catch (error) {
      await transaction.executeRaw(plain('ROLLBACK')).catch(() => {})
      await transaction.rollback()
      throw error
    }
  }
}

class OneWriterTransaction implements Transaction {
  readonly provider = 'postgres'
  readonly adapterName = '@hearth/one-writer-pg'
  readonly options
  readonly #inner: Transaction
  readonly #release: () => void
  #last: Promise<unknown> = Promise.resolve()

  constructor(inner: Transaction, release: () => void) {
    this.#inner = inner
    this.#release = release
    this.options = inner.options
  }

  queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    return this.#inTurn(() => this.#inner.queryRaw(asSqlite(query)))
  }

  executeRaw(query: SqlQuery): Promise<number> {
    return this.#inTurn(() => this.#inner.executeRaw(query))
  }

  /** Prisma loads relations side by side, also in a transaction; its one connection answers one at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  async commit(): Promise<void> {
    try {
      await this.#inner.commit()
    } finally {
      this.#release()
    }
  }

  async rollback(): Promise<void> {
    try {
      await this.#inner.rollback()
    } finally {
      this.#release()
    }
  }

  async createSavepoint(name: string): Promise<void> {
    await this.#inner.createSavepoint?.(name)
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#inner.rollbackToSavepoint?.(name)
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.#inner.releaseSavepoint?.(name)
  }
}

export function postgresAdapter(url: string): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(poolConfig(url))
  return {
    provider: 'postgres',
    adapterName: '@hearth/one-writer-pg',
    connect: async () => new OneWriterAdapter(await factory.connect()),
    connectToShadowDb: () => factory.connectToShadowDb(),
  }
}
