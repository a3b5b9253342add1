import { HearthError } from '@hearth/shared/errors'
import type { ClientConfig, PoolConfig } from 'pg'

/** Advisory locks of ours (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS): "hrth" and a number. */
export const WRITE_LOCK = '1752331368, 1'
export const MIGRATION_LOCK = '1752331368, 2'
export const INSTANCE_LOCK = '1752331368, 3'

export function clientConfig(url: string): ClientConfig {
  return {
    connectionString: url,
    application_name: 'hearth',
    connectionTimeoutMillis: 15_000,
    keepAlive: true,
    // Our times are UTC in columns without a zone; a server that lives elsewhere must not put its own zone in.
    options: '-c TimeZone=UTC',
  }
}

export function poolConfig(url: string): PoolConfig {
  // A request that ends after $disconnect opens the pool once more; its idle connections hold no process that is ending.
  return { ...clientConfig(url), max: 10, allowExitOnIdle: true }
}

/** SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const sentences: Record<string, string> = {
  '28P01': 'does not take that user and password. Correct DATABASE_URL',
  '28000': 'does not let that user in. Correct DATABASE_URL, or the server’s pg_hba.conf',
  '3D000': 'has no such database. Make it (createdb), or correct DATABASE_URL',
  '42501': 'does not allow that user to make tables. Make it the owner of the database',
  '53300': 'has no connection left. Raise its max_connections',
  '57P03': 'is starting or stopping. Try again in a moment',
  ECONNREFUSED: 'does not answer. Start it, or correct DATABASE_URL',
  ENOENT: 'is not there (no such socket). Start it, or correct DATABASE_URL',
  ENOTFOUND: 'was not found by that name. Correct DATABASE_URL',
  ETIMEDOUT: 'does not answer. Start it, or correct DATABASE_URL',
  EACCES: 'may not be reached by this user. Correct the socket’s permissions, or DATABASE_URL',
}

/** What went wrong between us and the server, as a sentence; what is something else stays what it is. */
export function connectionTrouble(error: unknown, where: string): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  const sentence = sentences[code] ?? (/timeout/i.test(error.message) ? sentences.ETIMEDOUT : undefined)
  if (!sentence) return error
  return new HearthError('internal', `PostgreSQL for ${where} ${sentence}.`, {
    log: `${where}: ${code} ${error.message}`,
    cause: error,
  })
}
