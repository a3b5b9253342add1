/** API tokens: shown once, kept as hashes. A person manages their own; an administrator sees nobody else's. */
import { HearthError } from '@hearth/shared/errors'
import { hashToken, newToken } from '../auth/secrets.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Database } from '../db/client.ts'
import type { ApiToken, Project } from '../generated/client.ts'
import { roleSchema } from '../views/session.ts'
import { type TokenView, tokenScopeSchema } from '../views/token.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import type { PortalServices } from './types.ts'

const tokenPrefix = 'hearth_'
/** Enough of a token to tell it from others, far too little to use it. */
const shownLength = tokenPrefix.length + 5
/** How stale "last used" may be: a busy script is not a write to the disk for each of its requests. */
const lastUsedStepMs = 60_000

function toView(token: ApiToken & { project: Project }): TokenView {
  return {
    id: token.id,
    project: { id: token.project.id, name: token.project.name },
    name: token.name,
    prefix: token.prefix,
    scope: tokenScopeSchema.parse(token.scope),
    expiresAt: token.expiresAt?.toISOString() ?? null,
    expired: token.expiresAt !== null && token.expiresAt.getTime() <= Date.now(),
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
    createdAt: token.createdAt.toISOString(),
  }
}

/** A token cannot make others: one that leaked would outlive its own revocation. */
function ensurePerson(viewer: Viewer): void {
  if (viewer.token) throw new HearthError('forbidden', 'Tokens are made and revoked in the portal only.')
}

export function tokensService({ db }: ServiceContext): PortalServices['tokens'] {
  return {
    async list(viewer) {
      const rows = await db.apiToken.findMany({
        where: { userId: viewer.userId, revokedAt: null },
        orderBy: { id: 'desc' },
        include: { project: true },
      })
      return rows.map(toView)
    },
    async create(viewer, projectId, { name, scope, expiresInDays }) {
      ensurePerson(viewer)
      const secret = newToken(tokenPrefix)
      const token = await db.$transaction(async (tx) => {
        const row = await tx.apiToken.create({
          data: {
            projectId,
            userId: viewer.userId,
            name,
            scope,
            tokenHash: hashToken(secret),
            prefix: `${secret.slice(0, shownLength)}…`,
            expiresAt: expiresInDays === null ? null : new Date(Date.now() + expiresInDays * 86_400_000),
          },
          include: { project: true },
        })
        await record(tx, {
          kind: 'token.create',
          summary: `Made the API token ${name} (${scope})`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId,
        })
        return row
      })
      return { token: toView(token), secret }
    },
    async revoke(viewer, id) {
      ensurePerson(viewer)
      await db.$transaction(async (tx) => {
        const token = await tx.apiToken.findFirst({ where: { id, userId: viewer.userId, revokedAt: null } })
        if (!token) throw notFound('token')
        await tx.apiToken.update({ where: { id }, data: { revokedAt: new Date() } })
        await record(tx, {
          kind: 'token.revoke',
          summary: `Revoked the API token ${token.name}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId: token.projectId,
        })
      })
    },
  }
}

/** Who an API token stands for; null when it is unknown, expired or revoked. */
export async function viewerOfToken(db: Database, secret: string, from: string): Promise<Viewer | null> {
  if (!secret.startsWith(tokenPrefix)) return null
  const now = new Date()
  const token = await db.apiToken.findFirst({
    where: {
      tokenHash: hashToken(secret),
      revokedAt: null,
      OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
    },
    include: { user: true },
  })
  if (!token) return null
  if (token.lastUsedAt === null || now.getTime() - token.lastUsedAt.getTime() > lastUsedStepMs)
    await db.apiToken.updateMany({ where: { id: token.id }, data: { lastUsedAt: now } })
  return {
    userId: token.userId,
    name: token.user.name,
    email: token.user.email,
    role: roleSchema.catch('member').parse(token.user.role),
    sessionId: null,
    confirmedAt: null,
    token: {
      id: token.id,
      name: token.name,
      scope: tokenScopeSchema.parse(token.scope),
      projectId: token.projectId,
    },
    from,
  }
}
