import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { isBusy } from './errors.ts'

/** How long a statement waits for another process to release the database before it fails. */
const BUSY_LIMIT_MS = 30_000
/**
 * SQLite's own wait blocks the whole process, consoles and sockets included; so it stays short, and the rest of the
 * wait is ours, between attempts.
 */
const BUSY_TIMEOUT_MS = 20

export interface ConnectionOptions {
  readOnly?: boolean
  /** Read "text" as a string where no column has that name: Prisma's schema engine writes such SQL. */
  doubleQuotedStrings?: boolean
}

export function openConnection(file: string, options: ConnectionOptions = {}): DatabaseSync {
  const database = new DatabaseSync(file, {
    readOnly: options.readOnly ?? false,
    enableDoubleQuotedStringLiterals: options.doubleQuotedStrings ?? false,
    timeout: BUSY_TIMEOUT_MS,
  })
  try {
    database.exec('PRAGMA foreign_keys = ON')
    if (!options.readOnly) {
      database.exec('PRAGMA journal_mode = WAL')
      // In WAL mode NORMAL keeps the file consistent after a power cut but may lose the last commits: a deletion
      // that an agent already carried out must not come back, so every commit reaches the disk.
      database.exec('PRAGMA synchronous = FULL')
    }
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/** Runs `attempt` until no other process is in the way, leaving the event loop free in between. */
export async function whenNotBusy<T>(attempt: () => T, limitMs = BUSY_LIMIT_MS): Promise<T> {
  const deadline = Date.now() + limitMs
  for (let pause = 5; ; pause = Math.min(pause * 2, 200)) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || Date.now() + pause > deadline) throw error
    }
    await delay(pause)
  }
}
