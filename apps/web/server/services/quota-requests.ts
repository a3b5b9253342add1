/** Limits as people change them: the administrator sets them, a member asks for more, somebody answers. */
import { HearthError } from '@hearth/shared/errors'
import { formatAmount, isVmMaximum, type QuotaKey } from '@hearth/shared/quota'
import { includesRole } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import { can, cannot } from '../views/common.ts'
import { type QuotaRequestView, quotaKeySchema, quotaRequestSchema } from '../views/project.ts'
import { type Standing, standingOf } from './access.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { quotaLines, unlimited } from './quota.ts'
import type { PortalServices } from './types.ts'

/** How long whoever asked is shown the answer. */
const answerShownMs = 7 * 24 * 3600_000

/** Open ones of the viewer's projects, and their own that were answered of late. Newest first. */
export async function requestViews(
  queries: Queries,
  viewer: Viewer,
  standing: Standing,
): Promise<QuotaRequestView[]> {
  const rows = await queries.quotaRequest.findMany({
    where: {
      ...standing.visible,
      OR: [
        { status: 'open' },
        { userId: viewer.userId, answeredAt: { gt: new Date(Date.now() - answerShownMs) } },
      ],
    },
    orderBy: { id: 'desc' },
    include: { project: true, user: { select: { name: true } } },
  })
  return rows.map((row) => {
    const owns = includesRole(standing.roleIn(row.projectId), 'owner')
    const open = row.status === 'open' ? can : cannot('It is answered already.')
    return {
      id: row.id,
      project: { id: row.projectId, name: row.project.name },
      person: row.user.name,
      key: quotaKeySchema.parse(row.key),
      wanted: Number(row.wanted),
      limitThen: Number(row.limitThen),
      reason: row.reason,
      status: quotaRequestSchema.shape.status.parse(row.status),
      answeredBy: row.answeredBy,
      answer: row.answer,
      createdAt: row.createdAt.toISOString(),
      can: {
        grant: standing.isAdmin ? open : cannot('Only an administrator of the home can raise a quota.'),
        decline: owns ? open : cannot('Only an owner of the project can answer.'),
      },
    }
  })
}

const names: Record<QuotaKey, string> = {
  vms: 'VMs',
  vcpus: 'vCPUs',
  memory: 'memory',
  disk: 'disk space',
  snapshots: 'space for snapshots',
  ports: 'public ports',
  vm_vcpus: 'vCPUs of one VM',
  vm_memory: 'memory of one VM',
  vm_disk: 'disk of one VM',
}

export function quotaService({ db, changes }: ServiceContext): PortalServices['quota'] {
  const view = async (viewer: Viewer, id: number): Promise<QuotaRequestView> => {
    const all = await requestViews(db, viewer, await standingOf(db, viewer))
    const found = all.find((request) => request.id === id)
    if (found) return found
    throw notFound('request')
  }
  return {
    async set(viewer, projectId, limits) {
      await db.$transaction(async (tx) => {
        const project = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
        const told: string[] = []
        for (const [name, limit] of Object.entries(limits)) {
          const key = quotaKeySchema.parse(name)
          const max =
            limit === 'unlimited' ? unlimited : limit === null || limit === undefined ? null : BigInt(limit)
          await tx.quota.updateMany({ where: { projectId, key }, data: { max } })
          const amount = typeof limit === 'number' ? formatAmount(key, limit, 'en') : (limit ?? 'the default')
          told.push(`${names[key]}: ${amount}`)
        }
        if (told.length === 0) return
        await record(tx, {
          kind: 'quota.update',
          summary: `Set the quota of ${project.name}: ${told.join(', ')}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId,
        })
      })
      changes.publish('people')
    },

    async request(viewer, projectId, { key, wanted, reason }) {
      const id = await db.$transaction(async (tx) => {
        const project = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
        const line = (await quotaLines(tx, projectId)).find((one) => one.key === key)
        if (!line || line.limit === null || wanted <= line.limit)
          throw new HearthError('conflict', `${project.name} may have that much already. Try again.`)
        const open = await tx.quotaRequest.findFirst({ where: { projectId, key, status: 'open' } })
        const row = { wanted: BigInt(wanted), limitThen: BigInt(line.limit), reason, userId: viewer.userId }
        // One question at a time about one thing: the larger one stands.
        if (open) {
          if (open.wanted >= row.wanted) return open.id
          await tx.quotaRequest.update({ where: { id: open.id }, data: row })
        }
        const made = open ?? (await tx.quotaRequest.create({ data: { projectId, key, ...row } }))
        const what = isVmMaximum(key) ? names[key] : `${names[key]} for ${project.name}`
        await record(tx, {
          kind: 'quota.request',
          summary: `Asked for ${formatAmount(key, wanted, 'en')} (${what})`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId,
        })
        return made.id
      })
      changes.publish('people')
      return view(viewer, id)
    },

    async answer(viewer, id, { grant, answer }) {
      await db.$transaction(async (tx) => {
        const request = await tx.quotaRequest.findUniqueOrThrow({ where: { id }, include: { project: true } })
        const standing = await standingOf(tx, viewer)
        if (grant && !standing.isAdmin)
          throw new HearthError('forbidden', 'Only an administrator of the home can raise a quota.')
        const changed = await tx.quotaRequest.updateMany({
          where: { id, status: 'open' },
          data: {
            status: grant ? 'granted' : 'declined',
            answer,
            answeredBy: viewer.name,
            answeredAt: new Date(),
          },
        })
        if (changed.count === 0) throw new HearthError('conflict', 'Somebody has answered that already.')
        const key = quotaKeySchema.parse(request.key)
        const amount = formatAmount(key, Number(request.wanted), 'en')
        if (grant) {
          const where = { projectId: request.projectId, key }
          await tx.quota.updateMany({ where, data: { max: request.wanted } })
        }
        await record(tx, {
          kind: 'quota.answer',
          summary: grant
            ? `Raised ${names[key]} of ${request.project.name} to ${amount}`
            : `Declined ${amount} of ${names[key]} for ${request.project.name}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId: request.projectId,
        })
      })
      changes.publish('people')
    },
  }
}
