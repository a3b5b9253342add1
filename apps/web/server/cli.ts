/**
 * `npm run hearth -- COMMAND`: for whoever runs the box and has lost the way in. Works on the database itself, beside
 * a portal that runs or without one; who may read the state folder may do this.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { hashPassword } from 'better-auth/crypto'
import { generatePassword } from '../src/lib/password.ts'
import { type Database, openDatabase, type Queries } from './db/client.ts'
import { chosenDatabase, type DatabaseChoice, describeDatabase, keepDatabase } from './db/database-url.ts'
import { migrate } from './db/migrate.ts'
import { moveDatabase } from './db/move-database.ts'
import { record } from './services/activity.ts'
import { newSetupToken } from './services/setup.ts'

export const usage = `Usage: npm run hearth -- COMMAND [--state DIR]

  people                 everybody with an account, and how they sign in
  reset-password E-MAIL  gives them a new password and prints it; they are signed out everywhere
  reset-2fa E-MAIL       takes codes, recovery codes and passkeys away; their password alone signs in again
  make-admin E-MAIL      makes them an administrator of the home
  setup-link             while there is no administrator: a new link that makes one, instead of the one before

  move-database ADDRESS  moves all data from the file in the state folder to PostgreSQL (docs/database.md); stop Hearth first

  --state DIR            where Hearth keeps its data, as with npm start
`

class CliError extends Error {}

/** Returns what is to be printed. */
export async function runCommand(argv: readonly string[], defaultState: string): Promise<string> {
  const { values, positionals } = parse(argv)
  const [command, email] = positionals
  if (values.help || command === undefined) return usage
  const state = path.resolve(values.state ?? defaultState)
  becomeOwner(path.join(state, 'portal'))
  const database = await chosenDatabase(state, process.env.DATABASE_URL)
  if (database.kind === 'sqlite' && !existsSync(database.file))
    throw new CliError(`There is no Hearth in ${state}. Say where with --state DIR.`)
  if (command === 'move-database') return moveTo(state, database, email)
  await migrate(database)
  const db = await openDatabase(database)
  try {
    if (command === 'people') return await people(db)
    if (command === 'setup-link') return await setupLink(db)
    const commands = { 'reset-password': resetPassword, 'reset-2fa': resetTwoFactor, 'make-admin': makeAdmin }
    const run = commands[command as keyof typeof commands]
    if (!run) throw new CliError(`There is no command ${command}.\n\n${usage}`)
    if (!email) throw new CliError(`Say whose: npm run hearth -- ${command} E-MAIL`)
    const user = await db.user.findUnique({ where: { email: email.toLowerCase() } })
    if (!user) throw new CliError(`Nobody here has the e-mail address ${email}.\n\n${await people(db)}`)
    return await run(db, user)
  } finally {
    await db.$disconnect()
  }
}

/** From the file to PostgreSQL; the next start finds it there. */
async function moveTo(state: string, from: DatabaseChoice, address: string | undefined): Promise<string> {
  if (from.kind !== 'sqlite')
    throw new CliError(`The data of this home is in PostgreSQL already: ${describeDatabase(from)}.`)
  if (!address) throw new CliError('Say where to: npm run hearth -- move-database postgresql://…')
  const to = await chosenDatabase(state, address)
  if (to.kind !== 'postgresql') throw new CliError('Name a PostgreSQL database: postgresql://…')
  const moved = await moveDatabase(from, to)
  await keepDatabase(state, to)
  const counts = [...moved].filter(([, rows]) => rows > 0).map(([table, rows]) => `${rows} in ${table}`)
  return `Moved to ${describeDatabase(to)}, and compared row by row: ${counts.join(', ')}.
Hearth uses it from its next start on. ${from.file} is as it was; DATABASE_URL=sqlite npm start goes back to it.
`
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { state: { type: 'string' }, help: { type: 'boolean' } },
    })
  } catch (error) {
    throw new CliError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  }
}

interface Person {
  id: string
  name: string
  email: string
}

async function people(db: Database): Promise<string> {
  const users = await db.user.findMany({
    orderBy: { createdAt: 'asc' },
    include: { _count: { select: { passkeys: true } } },
  })
  const lines = users.map((user) => {
    const ways = [
      'password',
      user.twoFactorEnabled ? 'codes' : null,
      user._count.passkeys > 0 ? `${user._count.passkeys} passkeys` : null,
    ].filter(Boolean)
    const role = user.role === 'admin' ? ', administrator' : ''
    return `${user.email} (${user.name}${role}): ${ways.join(', ')}\n`
  })
  return lines.length > 0
    ? lines.join('')
    : 'Nobody has an account yet: open the link that npm start prints.\n'
}

async function setupLink(db: Database): Promise<string> {
  const token = await newSetupToken(db)
  if (token === null)
    throw new CliError('This home has an administrator already: sign in, or use reset-password.')
  return `Open this at the portal's address: /setup#token=${token}\n`
}

/**
 * Root works on the files as their owner: as a service the portal runs as a user of its own, and could not write beside
 * files that root has made.
 */
function becomeOwner(folder: string): void {
  const owner = statSync(folder, { throwIfNoEntry: false })
  if (process.getuid?.() !== 0 || !owner || owner.uid === 0) return
  process.setgroups?.([owner.gid])
  process.setgid?.(owner.gid)
  process.setuid?.(owner.uid)
}

/** A running portal notices that the sessions are gone within seconds. */
async function signOutEverywhere(tx: Queries, user: Person, summary: string): Promise<void> {
  await tx.session.deleteMany({ where: { userId: user.id } })
  await record(tx, {
    kind: 'account.security',
    summary,
    actor: { actorKind: 'system', actorName: 'Command line', actorUserId: user.id },
    from: null,
  })
}

async function resetPassword(db: Database, user: Person): Promise<string> {
  const secret = generatePassword(randomBytes)
  const password = await hashPassword(secret)
  await db.$transaction(async (tx) => {
    const where = { userId: user.id, providerId: 'credential' }
    const changed = await tx.account.updateMany({ where, data: { password } })
    if (changed.count === 0)
      await tx.account.create({ data: { id: randomUUID(), accountId: user.id, ...where, password } })
    await signOutEverywhere(tx, user, `Reset the password of ${user.name}`)
  })
  return `New password of ${user.name} (${user.email}): ${secret}\nThey are signed out everywhere. Change it after signing in.\n`
}

async function resetTwoFactor(db: Database, user: Person): Promise<string> {
  await db.$transaction(async (tx) => {
    await tx.twoFactor.deleteMany({ where: { userId: user.id } })
    await tx.passkey.deleteMany({ where: { userId: user.id } })
    await tx.user.update({ where: { id: user.id }, data: { twoFactorEnabled: false } })
    await signOutEverywhere(tx, user, `Took codes and passkeys of ${user.name} away`)
  })
  return `${user.name} (${user.email}) signs in with the password alone now, and is signed out everywhere.\n`
}

async function makeAdmin(db: Database, user: Person): Promise<string> {
  await db.$transaction(async (tx) => {
    await tx.user.update({ where: { id: user.id }, data: { role: 'admin' } })
    await record(tx, {
      kind: 'person.update',
      summary: `Made ${user.name} an administrator of the home`,
      actor: { actorKind: 'system', actorName: 'Command line', actorUserId: null },
      from: null,
    })
  })
  return `${user.name} (${user.email}) is an administrator of the home now.\n`
}

if (import.meta.main) {
  const { HEARTH_DEFAULT_STATE: state = 'state' } = process.env
  try {
    process.stdout.write(await runCommand(process.argv.slice(2), state))
  } catch (error) {
    process.stderr.write(`hearth: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
