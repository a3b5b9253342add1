import { HearthError } from '@hearth/shared/errors'
import type { Auth } from '../auth/auth.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import { RateLimit } from '../rest/rate-limit.ts'
import type { SessionView } from '../views/session.ts'
import { standingOf } from './access.ts'
import type { ServiceContext } from './context.ts'
import { isSetUp } from './setup.ts'
import type { PortalServices } from './types.ts'

async function projectsOf(queries: Queries, viewer: Viewer): Promise<SessionView['projects']> {
  const standing = await standingOf(queries, viewer)
  const ids = standing.visible.projectId
  const rows = await queries.project.findMany({
    where: { deletedAt: null, ...(ids ? { id: ids } : {}) },
    orderBy: { id: 'asc' },
  })
  return rows.flatMap(({ id, name }) => {
    const role = standing.roleIn(id)
    return role ? [{ id, name, role }] : []
  })
}

async function hasTwoFactor(queries: Queries, id: string): Promise<boolean> {
  const user = await queries.user.findUnique({ where: { id }, select: { twoFactorEnabled: true } })
  return user?.twoFactorEnabled ?? false
}

export function sessionService(
  { db, version, tls, passkeyName, oidcName }: ServiceContext,
  auth: Pick<Auth, 'verifyPassword'>,
): PortalServices['session'] {
  const attempts = new RateLimit(10, 10 * 60_000)
  return {
    async confirm(viewer, password) {
      const { sessionId } = viewer
      if (sessionId === null) throw new HearthError('forbidden', 'That is done in the portal only.')
      if (!attempts.take(viewer.userId).allowed)
        throw new HearthError('conflict', 'Too many wrong passwords. Wait a few minutes, then try again.')
      if (!(await auth.verifyPassword(viewer.userId, password)))
        throw new HearthError('invalid_input', 'That is not your password.')
      await db.session.update({ where: { id: sessionId }, data: { confirmedAt: new Date() } })
    },
    async get(viewer) {
      const home = await db.home.findUnique({ where: { id: 1 } })
      return {
        user: viewer
          ? {
              id: viewer.userId,
              name: viewer.name,
              email: viewer.email,
              role: viewer.role,
              twoFactor: await hasTwoFactor(db, viewer.userId),
            }
          : null,
        projects: viewer ? await projectsOf(db, viewer) : [],
        homeName: home?.name ?? 'Hearth',
        setupNeeded: !(await isSetUp(db)),
        version,
        tls,
        passkeyName,
        oidcName,
      }
    },
  }
}
