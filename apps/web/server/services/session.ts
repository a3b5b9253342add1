import type { ServiceContext } from './context.ts'
import { isSetUp } from './setup.ts'
import type { PortalServices } from './types.ts'

export function sessionService({ db, version, tls }: ServiceContext): PortalServices['session'] {
  return {
    async get(viewer) {
      const home = await db.home.findUnique({ where: { id: 1 } })
      return {
        user: viewer
          ? { id: viewer.userId, name: viewer.name, email: viewer.email, role: viewer.role }
          : null,
        homeName: home?.name ?? 'Hearth',
        setupNeeded: !(await isSetUp(db)),
        version,
        tls,
      }
    },
  }
}
