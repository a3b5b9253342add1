/** The rows that exist from the first start on: one location, one host; and, after set-up, one project. */
import { HearthError } from '@hearth/shared/errors'
import type { Database, Queries } from '../db/client.ts'

export async function ensureHost(db: Database): Promise<number> {
  return db.$transaction(async (tx) => {
    const host = await tx.host.findFirst({ orderBy: { id: 'asc' } })
    if (host) return host.id
    const location = await tx.location.create({ data: { name: 'home', description: 'At home' } })
    // Its own name comes with its first report.
    const made = await tx.host.create({ data: { name: 'this-box', locationId: location.id } })
    return made.id
  })
}

export async function defaultProjectId(queries: Queries): Promise<number> {
  const project = await queries.project.findFirst({
    where: { deletedAt: null },
    orderBy: { id: 'asc' },
    select: { id: true },
  })
  if (!project) throw new HearthError('invalid_state', 'Set Hearth up first, with the link it printed.')
  return project.id
}
