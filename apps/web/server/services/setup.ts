/** The first administrator: whoever holds the one-time link that Hearth prints at its start. */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import { hashToken, newToken } from '../auth/secrets.ts'
import type { Database } from '../db/client.ts'
import { record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { openQuota, unlimited } from './quota.ts'
import type { PortalServices } from './types.ts'

const lifetimeMs = 24 * 3600_000

export async function isSetUp(db: Pick<Database, 'user'>): Promise<boolean> {
  return (await db.user.count({ where: { role: 'admin' } })) > 0
}

/** A new link at each start while there is no administrator; the one before no longer works. */
export async function newSetupToken(db: Database): Promise<string | null> {
  if (await isSetUp(db)) return null
  const token = newToken()
  await db.$transaction([
    db.setupToken.deleteMany(),
    db.setupToken.create({
      data: { tokenHash: hashToken(token), expiresAt: new Date(Date.now() + lifetimeMs) },
    }),
  ])
  return token
}

const again = 'Start Hearth again: it prints a new one.'

export function setupService(
  { db, changes }: ServiceContext,
  hashPassword: (password: string) => Promise<string>,
): PortalServices['setup'] {
  return {
    async check(token) {
      if (await isSetUp(db)) return 'done'
      const row = await db.setupToken.findUnique({ where: { tokenHash: hashToken(token) } })
      if (!row) return 'invalid'
      return row.expiresAt.getTime() > Date.now() ? 'valid' : 'expired'
    },
    async complete(input, from) {
      const { token, homeName, name } = input
      // Before the slow hash: nobody without a token makes us work.
      const known = await db.setupToken.count({ where: { tokenHash: hashToken(token) } })
      const password = known > 0 ? await hashPassword(input.password) : ''
      const email = input.email.toLowerCase()
      await db.$transaction(async (tx) => {
        if (await isSetUp(tx)) throw new HearthError('conflict', 'Hearth is set up already. Sign in instead.')
        // Whoever deletes the row has the right; of two at the same time the second finds none.
        const taken = await tx.setupToken.deleteMany({
          where: { tokenHash: hashToken(token), expiresAt: { gt: new Date() } },
        })
        if (taken.count === 0)
          throw new HearthError('forbidden', `This set-up link is not valid (any more). ${again}`)
        const userId = randomUUID()
        await tx.user.create({ data: { id: userId, name, email, emailVerified: true, role: 'admin' } })
        await tx.account.create({
          data: { id: randomUUID(), accountId: userId, providerId: 'credential', userId, password },
        })
        const project = await tx.project.create({ data: { name: 'Home' } })
        await tx.membership.create({ data: { projectId: project.id, userId, role: 'owner' } })
        // Whoever owns the box is limited by the box.
        await openQuota(tx, project.id, undefined, unlimited)
        const home = { name: homeName, timezone: timezone(), setupAt: new Date() }
        await tx.home.upsert({ where: { id: 1 }, create: { id: 1, ...home }, update: home })
        await record(tx, {
          kind: 'home.setup',
          summary: `Set up ${homeName}`,
          actor: { actorKind: 'user', actorName: name, actorUserId: userId },
          from,
          projectId: project.id,
        })
      })
      changes.publish('sessions')
    },
  }
}

function timezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}
