/** Invitations: a link with a role, used once, for a while. Whoever has no account makes one with it. */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import { includesRole, projectRoleSchema } from '../auth/privilege.ts'
import { hashToken, newToken } from '../auth/secrets.ts'
import type { Queries } from '../db/client.ts'
import type { Invitation } from '../generated/client.ts'
import type { InvitationView } from '../views/project.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { isUniqueViolation, notFound } from './errors.ts'
import type { PortalServices } from './types.ts'

type Named = Invitation & { createdBy: { name: string } | null; usedBy: { name: string } | null }

function statusOf(invitation: Invitation): InvitationView['status'] {
  if (invitation.usedAt) return 'used'
  if (invitation.revokedAt) return 'revoked'
  return invitation.expiresAt.getTime() <= Date.now() ? 'expired' : 'open'
}

function toView(invitation: Named): InvitationView {
  return {
    id: invitation.id,
    role: projectRoleSchema.parse(invitation.role),
    note: invitation.note,
    invitedBy: invitation.createdBy?.name ?? null,
    createdAt: invitation.createdAt.toISOString(),
    expiresAt: invitation.expiresAt.toISOString(),
    status: statusOf(invitation),
    usedBy: invitation.usedBy?.name ?? null,
  }
}

const include = { createdBy: { select: { name: true } }, usedBy: { select: { name: true } } } as const

const notValid = () =>
  new HearthError('conflict', 'This invitation is not valid (any more). Ask whoever sent it for a new one.')

/** Takes the one use of an invitation, or says why there is none; of two at the same time one gets it. */
async function take(tx: Queries, token: string, userId: string): Promise<Invitation> {
  const tokenHash = hashToken(token)
  const now = new Date()
  const taken = await tx.invitation.updateMany({
    where: { tokenHash, usedAt: null, revokedAt: null, expiresAt: { gt: now } },
    data: { usedAt: now, usedById: userId },
  })
  if (taken.count === 0) throw notValid()
  return tx.invitation.findUniqueOrThrow({ where: { tokenHash } })
}

/** Joins with the invitation's role; who is a member already keeps the greater one. */
async function join(tx: Queries, invitation: Invitation, person: { id: string; name: string }, from: string) {
  const { projectId } = invitation
  const role = projectRoleSchema.parse(invitation.role)
  const key = { projectId_userId: { projectId, userId: person.id } }
  const before = await tx.membership.findUnique({ where: key })
  if (!before) await tx.membership.create({ data: { projectId, userId: person.id, role } })
  else if (!includesRole(projectRoleSchema.parse(before.role), role))
    await tx.membership.update({ where: key, data: { role } })
  const project = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
  await record(tx, {
    kind: 'member.add',
    summary: `Joined ${project.name} as ${role}`,
    actor: { actorKind: 'user', actorName: person.name, actorUserId: person.id },
    from,
    projectId,
  })
}

export function invitationsService(
  { db, changes }: ServiceContext,
  hashPassword: (password: string) => Promise<string>,
): PortalServices['invitations'] {
  return {
    async list(projectId) {
      const rows = await db.invitation.findMany({
        where: { projectId },
        orderBy: { id: 'desc' },
        take: 50,
        include,
      })
      return rows.map(toView)
    },
    async create(viewer, projectId, { role, note, expiresInDays }) {
      const token = newToken()
      const row = await db.$transaction(async (tx) => {
        const project = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
        const made = await tx.invitation.create({
          data: {
            projectId,
            role,
            note,
            tokenHash: hashToken(token),
            createdById: viewer.userId,
            expiresAt: new Date(Date.now() + expiresInDays * 86_400_000),
          },
          include,
        })
        await record(tx, {
          kind: 'invitation.create',
          summary: `Invited ${note || 'somebody'} to ${project.name} as ${role}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId,
        })
        return made
      })
      changes.publish('people')
      // After the #: it stays in the browser and out of every log.
      return { invitation: toView(row), path: `/invitation#token=${token}` }
    },
    async revoke(viewer, projectId, invitationId) {
      await db.$transaction(async (tx) => {
        const row = await tx.invitation.findFirst({
          where: { id: invitationId, projectId },
          include: { project: true },
        })
        if (!row) throw notFound('invitation')
        if (statusOf(row) !== 'open') return
        await tx.invitation.update({ where: { id: row.id }, data: { revokedAt: new Date() } })
        await record(tx, {
          kind: 'invitation.revoke',
          summary: `Took back the invitation of ${row.note || 'somebody'} to ${row.project.name}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId,
        })
      })
      changes.publish('people')
    },
    async check(token) {
      const row = await db.invitation.findUnique({
        where: { tokenHash: hashToken(token) },
        include: { ...include, project: true },
      })
      const status = row ? statusOf(row) : ('unknown' as const)
      if (!row || status !== 'open') return { status, project: null, role: null, invitedBy: null }
      return {
        status,
        project: row.project.name,
        role: projectRoleSchema.parse(row.role),
        invitedBy: row.createdBy?.name ?? null,
      }
    },
    async accept(viewer, token) {
      const invitation = await db.$transaction(async (tx) => {
        const taken = await take(tx, token, viewer.userId)
        await join(tx, taken, { id: viewer.userId, name: viewer.name }, viewer.from)
        return taken
      })
      changes.publish('people', 'vms')
      return { projectId: invitation.projectId }
    },
    async register({ token, name, email, password }, from) {
      // First: nobody without an invitation makes us work, or learns who has an account here.
      const known = await db.invitation.findUnique({ where: { tokenHash: hashToken(token) } })
      if (!known || statusOf(known) !== 'open') throw notValid()
      const hash = await hashPassword(password)
      const id = randomUUID()
      const invitation = await db
        .$transaction(async (tx) => {
          await tx.user.create({
            data: {
              id,
              name,
              email: email.toLowerCase(),
              emailVerified: true,
              accounts: {
                create: { id: randomUUID(), accountId: id, providerId: 'credential', password: hash },
              },
            },
          })
          const taken = await take(tx, token, id)
          await join(tx, taken, { id, name }, from)
          return taken
        })
        .catch((error: unknown) => {
          if (isUniqueViolation(error))
            throw new HearthError(
              'uniqueness_error',
              'Somebody has an account with that e-mail address. If it is you, sign in and open the link again.',
            )
          throw error
        })
      changes.publish('people')
      return { projectId: invitation.projectId }
    },
  }
}
