import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
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

export function sessionService({ db, version, tls }: ServiceContext): PortalServices['session'] {
  return {
    async get(viewer) {
      const home = await db.home.findUnique({ where: { id: 1 } })
      return {
        user: viewer
          ? { id: viewer.userId, name: viewer.name, email: viewer.email, role: viewer.role }
          : null,
        projects: viewer ? await projectsOf(db, viewer) : [],
        homeName: home?.name ?? 'Hearth',
        setupNeeded: !(await isSetUp(db)),
        version,
        tls,
      }
    },
  }
}
