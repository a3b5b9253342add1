/**
 * One portal a database. Two would each plan, charge and answer agents by what they alone remember. Whoever has the
 * database holds a lock that ends with its process, however that ends: a row or a file would outlive a crash.
 */
import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { HearthError } from '@hearth/shared/errors'
import { Client } from 'pg'
import type { Log } from '../log.ts'
import { type DatabaseChoice, describeDatabase } from './database-url.ts'
import { clientConfig, connectionTrouble, INSTANCE_LOCK } from './postgresql/connection.ts'
import { isBusy } from './sqlite/errors.ts'

/** A portal that is restarted begins while the one before may still be ending. */
const patienceMs = 15_000
const askAgainMs = 250
const reconnectMs = 2_000

export interface HeldDatabase {
  release(): Promise<void>
}

/** `onLost`: somebody else has the database now; this program must not go on with it. */
export async function holdDatabase(
  choice: DatabaseChoice,
  options: { onLost?: () => void; log?: Log; waitMs?: number } = {},
): Promise<HeldDatabase> {
  const deadline = Date.now() + (options.waitMs ?? patienceMs)
  for (;;) {
    const held =
      choice.kind === 'sqlite' ? holdFile(choice.file) : await holdPostgres(choice.url, choice, options)
    if (held) return held
    if (Date.now() > deadline)
      throw new HearthError(
        'conflict',
        `Another Hearth uses ${describeDatabase(choice)}. Stop that one first; two must not share a database.`,
      )
    await delay(askAgainMs)
  }
}

/** The lock is SQLite's own, on a file beside the database that stays empty. */
function holdFile(file: string): HeldDatabase | null {
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 })
  try {
    // Before its journal is made, which takes the file's mode.
    chmodSync(`${file}.lock`, 0o600)
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (isBusy(error)) return null
    throw error
  }
  return {
    async release() {
      if (lock.isOpen) lock.close()
    },
  }
}

async function holdPostgres(
  url: string,
  choice: DatabaseChoice,
  { onLost, log }: { onLost?: () => void; log?: Log },
): Promise<HeldDatabase | null> {
  let released = false
  let client = await lockedClient(url, choice)
  if (!client) return null
  const watch = (connected: Client) => connected.once('end', () => void again())
  watch(client)

  /** The server was restarted, and the lock is gone with the connection: whoever comes first has it. */
  async function again(): Promise<void> {
    while (!released) {
      await delay(reconnectMs)
      if (released) return
      try {
        const next = await lockedClient(url, choice)
        if (released) {
          await next?.end()
          return
        }
        if (!next) {
          onLost?.()
          return
        }
        client = next
        watch(next)
        return
      } catch (error) {
        log?.warn('the database does not answer', { error: error instanceof Error ? error.message : '' })
      }
    }
  }

  return {
    async release() {
      released = true
      await client?.end().catch(() => {})
    },
  }
}

/** A connection of its own that has the lock; null when another has it. */
async function lockedClient(url: string, choice: DatabaseChoice): Promise<Client | null> {
  const client = new Client(clientConfig(url))
  // The connection's end tells; without a listener an error would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ locked: boolean }>(
      `SELECT pg_try_advisory_lock(${INSTANCE_LOCK}) AS locked`,
    )
    if (rows[0]?.locked) return client
  } catch (error) {
    await client.end().catch(() => {})
    throw connectionTrouble(error, describeDatabase(choice))
  }
  await client.end()
  return null
}
