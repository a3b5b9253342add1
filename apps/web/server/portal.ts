/** Puts the portal together: database, sign-in, links to hosts, services. Everything here has one owner, this object. */
import { mkdir } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import type { AgentEndpoint } from './agents/agent-client.ts'
import { Agents } from './agents/agents.ts'
import { type Auth, createAuth } from './auth/auth.ts'
import { readOidcConfig } from './auth/oidc.ts'
import { readOrMakeSecret } from './auth/secrets.ts'
import { Consoles } from './console/consoles.ts'
import { type Database, openDatabase } from './db/client.ts'
import { chosenDatabase, type DatabaseChoice, describeDatabase, keepDatabase } from './db/database-url.ts'
import { migrate } from './db/migrate.ts'
import { type HeldDatabase, holdDatabase } from './db/single-instance.ts'
import type { PortalNames } from './http/origin.ts'
import type { Log } from './log.ts'
import { createRestApi } from './rest/api.ts'
import { record } from './services/activity.ts'
import { BackupPlans } from './services/backup-plan.ts'
import { Changes } from './services/changes.ts'
import type { ServiceContext } from './services/context.ts'
import { ensureHost } from './services/home.ts'
import { createServices } from './services/index.ts'
import { reconcileQuota } from './services/quota.ts'
import { newSetupToken } from './services/setup.ts'
import { SnapshotSchedules } from './services/snapshot-schedule.ts'
import type { PortalServices } from './services/types.ts'
import { settleCharge } from './services/vm-charge.ts'

export interface PortalOptions {
  /** The state folder; the portal's part is `portal/` in it, its secrets `secrets/`. */
  state: string
  /** DATABASE_URL; without it what was used before, at first an SQLite file in the state folder. */
  databaseUrl?: string | undefined
  agent: AgentEndpoint
  names: PortalNames
  version: string
  log: Log
}

export interface Portal {
  readonly db: Database
  readonly auth: Auth
  readonly services: PortalServices
  readonly context: ServiceContext
  readonly consoles: Consoles
  readonly changes: Changes
  readonly agents: Agents
  readonly schedules: SnapshotSchedules
  readonly backupPlans: BackupPlans
  readonly names: PortalNames
  readonly log: Log
  /** Answers a request under /api/v1. */
  rest(request: IncomingMessage, response: ServerResponse, origin: string): Promise<void>
  /** A new one-time set-up token, or null when there is an administrator. */
  newSetupToken(): Promise<string | null>
  close(): Promise<void>
}

export async function openPortal(options: PortalOptions): Promise<Portal> {
  const { state, log } = options
  const folder = path.join(state, 'portal')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const secret = await readOrMakeSecret(path.join(state, 'secrets'), 'portal-sessions')
  const database = await chosenDatabase(state, options.databaseUrl)
  const held = await holdDatabase(database, {
    log,
    onLost() {
      log.error('another Hearth has taken the database; this one ends', {
        database: describeDatabase(database),
      })
      // As when it is stopped: what is under way goes on at the hosts.
      process.kill(process.pid, 'SIGTERM')
    },
  })
  try {
    return await openHeld(options, database, secret, held)
  } catch (error) {
    await held.release()
    throw error
  }
}

async function openHeld(
  options: PortalOptions,
  database: DatabaseChoice,
  secret: string,
  held: HeldDatabase,
): Promise<Portal> {
  const { state, names, log, version } = options
  const applied = await migrate(database)
  if (applied.length > 0) log.info('the database was brought up to date', { applied })
  await keepDatabase(state, database)
  log.info('the database is open', { database: describeDatabase(database) })
  const db = await openDatabase(database)
  await reconcileQuota(db, settleCharge)
  const changes = new Changes()
  const oidc = await readOidcConfig(path.join(state, 'oidc.json'))
  const auth = createAuth({
    db,
    provider: database.kind,
    secret,
    names,
    log,
    events: authEvents(db, changes),
    oidc,
  })
  const agents = new Agents({ db, changes, log })
  const context: ServiceContext = {
    db,
    changes,
    hosts: agents,
    log,
    version,
    tls: names.tls,
    passkeyName: names.hostname ?? 'localhost',
    oidcName: oidc?.name ?? null,
  }
  const services = createServices(context, auth)
  agents.connect(await ensureHost(db), options.agent)
  const consoles = new Consoles({ context, agents, changes, log })
  const schedules = new SnapshotSchedules(context)
  schedules.start()
  const backupPlans = new BackupPlans(context)
  backupPlans.start()
  const rest = createRestApi({ context, services })
  return {
    db,
    auth,
    services,
    context,
    consoles,
    changes,
    agents,
    schedules,
    backupPlans,
    names,
    log,
    rest,
    newSetupToken: () => newSetupToken(db),
    async close() {
      await schedules.stop()
      await backupPlans.stop()
      consoles.close()
      await agents.close()
      await db.$disconnect()
      await held.release()
    },
  }
}

function authEvents(db: Database, changes: Changes) {
  const entry = (user: { id: string; name: string }, from: string | null) => ({
    actor: { actorKind: 'user', actorName: user.name, actorUserId: user.id },
    from,
  })
  return {
    async signedIn(user: { id: string; name: string }, from: string) {
      await record(db, { kind: 'session.sign_in', summary: 'Signed in', ...entry(user, from) })
    },
    async signInFailed(email: string, from: string) {
      const user = await db.user.findUnique({ where: { email: email.toLowerCase() } })
      // What was typed is not kept: people type passwords into the wrong field.
      const who = user ?? { id: null, name: 'Somebody' }
      await record(db, {
        kind: 'session.sign_in_failed',
        summary: user ? 'Could not sign in' : 'Could not sign in: no such account',
        actor: { actorKind: 'user', actorName: who.name, actorUserId: who.id },
        from,
      })
    },
    async securityChanged(user: { id: string; name: string }, what: string, from: string) {
      await record(db, { kind: 'account.security', summary: what, ...entry(user, from) })
    },
    async signedOut(session: { id: string; userId: string }) {
      const user = await db.user.findUnique({ where: { id: session.userId } })
      if (user) await record(db, { kind: 'session.sign_out', summary: 'Signed out', ...entry(user, null) })
      changes.publish('sessions')
    },
  }
}
