/** Projects: what they are called, what they use, and what the viewer may do with them. */
import { HearthError } from '@hearth/shared/errors'
import { includesRole } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import { can, cannot } from '../views/common.ts'
import type { ProjectView, QuotaLineView } from '../views/project.ts'
import { type Standing, standingOf } from './access.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { isUniqueViolation } from './errors.ts'
import { openQuota, quotaLines } from './quota.ts'
import { requestViews } from './quota-requests.ts'
import type { PortalServices } from './types.ts'

/** Of a project that the viewer asks about by its id; deleted ones are gone. */
async function projectViews(
  { db }: Pick<ServiceContext, 'db'>,
  viewer: Viewer,
  only?: number,
): Promise<ProjectView[]> {
  const standing = await standingOf(db, viewer)
  const ids = standing.visible.projectId
  const projects = await db.project.findMany({
    where: { deletedAt: null, AND: [ids ? { id: ids } : {}, only === undefined ? {} : { id: only }] },
    orderBy: { id: 'asc' },
    include: {
      members: { select: { userId: true, role: true } },
      vms: { where: { deletedAt: null }, select: { chargedCpus: true } },
      quota: { select: { key: true, max: true } },
    },
  })
  const requests = await requestViews(db, viewer, standing)
  return Promise.all(
    projects.map(async (project) => ({
      id: project.id,
      name: project.name,
      role: standing.roleIn(project.id) ?? 'viewer',
      members: project.members.length,
      vms: project.vms.length,
      running: project.vms.filter(({ chargedCpus }) => chargedCpus > 0).length,
      quota: await linesOf(db, project.id, project.quota),
      requests: requests.filter((request) => request.project.id === project.id),
      createdAt: project.createdAt.toISOString(),
      can: abilities(standing, viewer, project),
    })),
  )
}

async function linesOf(
  queries: Queries,
  projectId: number,
  rows: readonly { key: string; max: bigint | null }[],
): Promise<QuotaLineView[]> {
  const own = new Set(rows.flatMap(({ key, max }) => (max === null ? [] : [key])))
  return (await quotaLines(queries, projectId)).map((line) => ({ ...line, isDefault: !own.has(line.key) }))
}

function abilities(
  standing: Standing,
  viewer: Viewer,
  project: { id: number; members: { userId: string; role: string }[]; vms: unknown[] },
): ProjectView['can'] {
  const owns = includesRole(standing.roleIn(project.id), 'owner')
  const owner = owns ? can : cannot('Only an owner of the project can do that.')
  const admin = standing.isAdmin ? can : cannot('Only an administrator of the home can do that.')
  const membership = project.members.find(({ userId }) => userId === viewer.userId)
  const owners = project.members.filter(({ role }) => role === 'owner').length
  const leave = !membership
    ? cannot('You are here as an administrator, not as a member.')
    : membership.role === 'owner' && owners === 1
      ? cannot('You are its only owner. Make somebody else an owner first.')
      : can
  const remove = project.vms.length > 0 ? cannot('Delete its VMs first.') : admin
  return { rename: owner, invite: owner, setQuota: admin, delete: remove, leave }
}

const nameTaken = (name: string) =>
  new HearthError('uniqueness_error', `There is a project named ${name} already. Choose another name.`)

export function projectsService(context: ServiceContext): PortalServices['projects'] {
  const { db, changes } = context
  const list: PortalServices['projects']['list'] = (viewer) => projectViews(context, viewer)
  const one = async (viewer: Viewer, projectId: number) => {
    const [view] = await projectViews(context, viewer, projectId)
    if (!view) throw new HearthError('not_found', 'There is no such project.')
    return view
  }
  return {
    list,
    get: one,
    watch: (viewer, signal) => changes.watch(['people', 'vms', 'actions'], () => list(viewer), signal),
    async create(viewer, name) {
      const id = await db
        .$transaction(async (tx) => {
          const project = await tx.project.create({ data: { name } })
          await openQuota(tx, project.id)
          await tx.membership.create({
            data: { projectId: project.id, userId: viewer.userId, role: 'owner' },
          })
          await record(tx, {
            kind: 'project.create',
            summary: `Made the project ${name}`,
            actor: actorOf(viewer),
            from: viewer.from,
            projectId: project.id,
          })
          return project.id
        })
        .catch((error: unknown) => {
          throw isUniqueViolation(error) ? nameTaken(name) : error
        })
      changes.publish('people')
      return one(viewer, id)
    },
    async rename(viewer, projectId, name) {
      await db
        .$transaction(async (tx) => {
          const before = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
          if (before.name === name) return
          await tx.project.update({ where: { id: projectId }, data: { name } })
          await record(tx, {
            kind: 'project.update',
            summary: `Renamed the project ${before.name} to ${name}`,
            actor: actorOf(viewer),
            from: viewer.from,
            projectId,
          })
        })
        .catch((error: unknown) => {
          throw isUniqueViolation(error) ? nameTaken(name) : error
        })
      changes.publish('people', 'vms')
      return one(viewer, projectId)
    },
    async delete(viewer, projectId, confirmName) {
      await db.$transaction(async (tx) => {
        const project = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
        if (confirmName !== project.name)
          throw new HearthError('invalid_input', `Type the project's name, ${project.name}, to delete it.`)
        if ((await tx.vm.count({ where: { projectId, deletedAt: null } })) > 0)
          throw new HearthError('conflict', `Delete the VMs of ${project.name} first.`)
        if ((await tx.image.count({ where: { projectId } })) > 0)
          throw new HearthError('conflict', `Delete the images of ${project.name} first.`)
        if ((await tx.project.count({ where: { deletedAt: null } })) === 1)
          throw new HearthError('conflict', 'This is the only project; a home needs one.')
        const deletedAt = new Date()
        // The row stays for its activity; the name is free again.
        const name = `${project.name} (deleted, ${projectId})`
        await tx.project.update({ where: { id: projectId }, data: { deletedAt, name } })
        await tx.membership.deleteMany({ where: { projectId } })
        await tx.sshKey.deleteMany({ where: { projectId } })
        await tx.invitation.deleteMany({ where: { projectId } })
        await tx.apiToken.updateMany({
          where: { projectId, revokedAt: null },
          data: { revokedAt: deletedAt },
        })
        await record(tx, {
          kind: 'project.delete',
          summary: `Deleted the project ${project.name}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId,
        })
      })
      changes.publish('people')
    },
  }
}
