/** Who is in a project. */
import { HearthError } from '@hearth/shared/errors'
import { projectRoleSchema } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import type { PortalServices } from './types.ts'

async function membershipOf(tx: Queries, projectId: number, userId: string) {
  const found = await tx.membership.findUnique({
    where: { projectId_userId: { projectId, userId } },
    include: { user: true, project: true },
  })
  if (!found) throw notFound('member')
  return found
}

/** A project keeps an owner: otherwise nobody in it could invite, answer or give it away. */
async function ensureOwnerLeft(tx: Queries, projectId: number, leaving: { userId: string; role: string }) {
  if (leaving.role !== 'owner') return
  const others = await tx.membership.count({
    where: { projectId, role: 'owner', userId: { not: leaving.userId } },
  })
  if (others === 0)
    throw new HearthError('conflict', 'A project needs an owner. Make somebody else an owner first.')
}

export function membersService({ db, changes }: ServiceContext): PortalServices['members'] {
  const remove = async (viewer: Viewer, projectId: number, userId: string) => {
    await db.$transaction(async (tx) => {
      const { user, project, role } = await membershipOf(tx, projectId, userId)
      await ensureOwnerLeft(tx, projectId, { userId, role })
      await tx.membership.delete({ where: { projectId_userId: { projectId, userId } } })
      const left = userId === viewer.userId
      await record(tx, {
        kind: 'member.remove',
        summary: left ? `Left ${project.name}` : `Removed ${user.name} from ${project.name}`,
        actor: actorOf(viewer),
        from: viewer.from,
        projectId,
      })
    })
    changes.publish('people', 'vms')
  }
  return {
    async list(viewer, projectId) {
      const rows = await db.membership.findMany({
        where: { projectId },
        orderBy: { id: 'asc' },
        include: { user: true },
      })
      return rows.map(({ user, role, createdAt }) => ({
        userId: user.id,
        name: user.name,
        email: user.email,
        role: projectRoleSchema.parse(role),
        isAdmin: user.role === 'admin',
        isYou: user.id === viewer.userId,
        since: createdAt.toISOString(),
      }))
    },
    async setRole(viewer, projectId, userId, role) {
      await db.$transaction(async (tx) => {
        const { user, project, role: before } = await membershipOf(tx, projectId, userId)
        if (before === role) return
        await ensureOwnerLeft(tx, projectId, { userId, role: before })
        await tx.membership.update({ where: { projectId_userId: { projectId, userId } }, data: { role } })
        await record(tx, {
          kind: 'member.update',
          summary: `Made ${user.name} ${role === 'owner' ? 'an' : 'a'} ${role} of ${project.name}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId,
        })
      })
      changes.publish('people', 'vms')
    },
    remove,
    leave: (viewer, projectId) => remove(viewer, projectId, viewer.userId),
  }
}
