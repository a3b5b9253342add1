/** The people of the home, as its administrator sees them; and what holds for the whole home. */
import { HearthError } from '@hearth/shared/errors'
import { formatAmount, quotaKeys } from '@hearth/shared/quota'
import { projectRoleSchema } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import { quotaKeySchema } from '../views/project.ts'
import { roleSchema } from '../views/session.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { limitOf, unlimited } from './quota.ts'
import type { PortalServices } from './types.ts'

async function ensureAdminLeft(tx: Queries, userId: string): Promise<void> {
  const others = await tx.user.count({ where: { role: 'admin', id: { not: userId } } })
  if (others === 0)
    throw new HearthError('conflict', 'A home needs an administrator. Make somebody else one first.')
}

export function personsService({ db, changes }: ServiceContext): PortalServices['persons'] {
  const find = async (tx: Queries, userId: string) => {
    const user = await tx.user.findUnique({ where: { id: userId } })
    if (!user) throw notFound('person')
    return user
  }
  return {
    async list(viewer) {
      const users = await db.user.findMany({
        orderBy: { createdAt: 'asc' },
        include: {
          memberships: { include: { project: { select: { name: true } } }, orderBy: { id: 'asc' } },
          sessions: { orderBy: { updatedAt: 'desc' }, take: 1 },
          _count: { select: { passkeys: true } },
        },
      })
      return users.map((user) => ({
        userId: user.id,
        name: user.name,
        email: user.email,
        role: roleSchema.parse(user.role),
        isYou: user.id === viewer.userId,
        twoFactor: user.twoFactorEnabled,
        passkeys: user._count.passkeys,
        projects: user.memberships.map(({ projectId, project, role }) => ({
          id: projectId,
          name: project.name,
          role: projectRoleSchema.parse(role),
        })),
        lastSeenAt: user.sessions[0]?.updatedAt.toISOString() ?? null,
        createdAt: user.createdAt.toISOString(),
      }))
    },
    async setRole(viewer, userId, role) {
      await db.$transaction(async (tx) => {
        const user = await find(tx, userId)
        if (user.role === role) return
        if (role !== 'admin') await ensureAdminLeft(tx, userId)
        await tx.user.update({ where: { id: userId }, data: { role } })
        const summary =
          role === 'admin'
            ? `Made ${user.name} an administrator of the home`
            : `${user.name} is no longer an administrator of the home`
        await tell(tx, viewer, 'person.update', summary)
      })
      changes.publish('people', 'vms')
    },
    async delete(viewer, userId) {
      if (userId === viewer.userId)
        throw new HearthError('conflict', 'You cannot remove yourself; another administrator can.')
      await db.$transaction(async (tx) => {
        const user = await find(tx, userId)
        if (user.role === 'admin') await ensureAdminLeft(tx, userId)
        // What they made stays with its projects; sessions, tokens and memberships go with the account.
        await tx.user.delete({ where: { id: userId } })
        await tell(tx, viewer, 'person.delete', `Removed ${user.name} from the home`)
      })
      changes.publish('people', 'sessions', 'vms')
    },
  }
}

async function tell(
  tx: Queries,
  viewer: Viewer,
  kind: 'person.update' | 'person.delete' | 'home.update',
  summary: string,
): Promise<void> {
  await record(tx, { kind, summary, actor: actorOf(viewer), from: viewer.from })
}

export function homeService({ db, changes }: ServiceContext): PortalServices['home'] {
  return {
    async get() {
      const home = await db.home.findUnique({ where: { id: 1 } })
      const rows = await db.quotaDefault.findMany()
      return {
        name: home?.name ?? 'Hearth',
        memoryPercent: home?.memoryPercent ?? 100,
        quota: quotaKeys.map((key) => ({
          key,
          limit: limitOf(rows.find((row) => row.key === key)?.max ?? 0n),
        })),
      }
    },
    async update(viewer, { name, memoryPercent, quota }) {
      await db.$transaction(async (tx) => {
        const told: string[] = []
        if (name !== undefined) told.push(`its name is ${name}`)
        if (memoryPercent !== undefined) told.push(`VMs may have ${memoryPercent} % of a host's memory`)
        await tx.home.update({
          where: { id: 1 },
          data: {
            ...(name === undefined ? {} : { name }),
            ...(memoryPercent === undefined ? {} : { memoryPercent }),
          },
        })
        for (const [given, limit] of Object.entries(quota ?? {})) {
          if (limit === undefined) continue
          const key = quotaKeySchema.parse(given)
          const max = limit === 'unlimited' ? unlimited : BigInt(limit)
          await tx.quotaDefault.update({ where: { key }, data: { max } })
          told.push(`${key} by default ${limit === 'unlimited' ? limit : formatAmount(key, limit, 'en')}`)
        }
        if (told.length > 0) await tell(tx, viewer, 'home.update', `Changed the home: ${told.join(', ')}`)
      })
      changes.publish('people', 'hosts')
    },
  }
}
