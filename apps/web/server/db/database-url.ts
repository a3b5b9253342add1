/**
 * Which database the portal uses: an SQLite file in the state folder, or PostgreSQL where DATABASE_URL says so. The
 * address is kept in the state folder, so that a later start, the service and `npm run hearth` find the same data
 * without being told again; without that, one forgotten variable would look like an empty home.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { HearthError } from '@hearth/shared/errors'

export type DatabaseChoice =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgresql'; readonly url: string }

/** Beside the portal's other secrets, because an address may hold a password. */
const keptIn = (state: string) => path.join(state, 'secrets/database-url')

const sqliteFile = (state: string) => path.join(state, 'portal/hearth.db')

/** What was chosen, now (`given`, from DATABASE_URL) or before. */
export async function chosenDatabase(state: string, given: string | undefined): Promise<DatabaseChoice> {
  const wanted = given?.trim() || (await kept(state))
  if (wanted === undefined || wanted === 'sqlite') return { kind: 'sqlite', file: sqliteFile(state) }
  return { kind: 'postgresql', url: parseUrl(wanted) }
}

/** Makes a choice the one of later starts. Call it once the database has been opened: a mistyped one is not kept. */
export async function keepDatabase(state: string, choice: DatabaseChoice): Promise<void> {
  const file = keptIn(state)
  if (choice.kind === 'sqlite') return rm(file, { force: true })
  if ((await kept(state)) === choice.url) return
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  await rm(file, { force: true })
  await writeFile(file, `${choice.url}\n`, { mode: 0o600 })
}

async function kept(state: string): Promise<string | undefined> {
  try {
    return (await readFile(keptIn(state), 'utf8')).trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parseUrl(text: string): string {
  const problem = (what: string) =>
    new HearthError(
      'invalid_input',
      `DATABASE_URL ${what}. Write postgresql://USER:PASSWORD@HOST/DATABASE, postgresql:///DATABASE?user=USER&host=/var/run/postgresql for a socket, or sqlite for the file in the state folder.`,
    )
  const url = URL.parse(text)
  if (!url) throw problem('is not an address')
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    throw problem(`begins with ${url.protocol}, which Hearth has no driver for`)
  }
  if (url.pathname.length < 2) throw problem('names no database')
  return text
}

/** For people and logs: without password. */
export function describeDatabase(choice: DatabaseChoice): string {
  if (choice.kind === 'sqlite') return choice.file
  const url = URL.parse(choice.url)!
  const where = url.hostname || url.searchParams.get('host') || 'this machine'
  return `the database ${decodeURIComponent(url.pathname.slice(1))} of PostgreSQL on ${where}`
}
