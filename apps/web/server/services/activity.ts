import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { Action, Activity } from '../generated/client.ts'
import {
  type ActivityGroup,
  type ActivityKind,
  type ActivityView,
  activityGroups,
  activityKindSchema,
} from '../views/activity.ts'
import { actorSchema } from '../views/common.ts'
import { standingOf } from './access.ts'
import type { ServiceContext } from './context.ts'
import type { PortalServices } from './types.ts'

export interface ActorFields {
  actorKind: string
  actorName: string
  actorUserId: string | null
}

/** Who did it, as actions and activity keep it: by name, so that it still reads when the person is gone. */
export function actorOf(viewer: Viewer | null): ActorFields {
  if (!viewer) return { actorKind: 'system', actorName: 'Hearth', actorUserId: null }
  if (viewer.token) return { actorKind: 'token', actorName: viewer.token.name, actorUserId: viewer.userId }
  return { actorKind: 'user', actorName: viewer.name, actorUserId: viewer.userId }
}

/** Writes one line of the audit log, in the same transaction as the change it tells of. */
export async function record(
  queries: Queries,
  entry: {
    kind: ActivityKind
    summary: string
    actor: ActorFields
    from: string | null
    projectId?: number | null
    vmId?: number
    actionId?: number
    /** When it was; now when absent. */
    at?: Date
  },
): Promise<void> {
  const { actor, from, ...rest } = entry
  await queries.activity.create({ data: { ...rest, ...actor, fromAddress: from } })
}

function statusOf(action: Action | null): ActivityView['status'] {
  if (!action) return 'success'
  return action.status === 'running' || action.status === 'error' ? action.status : 'success'
}

function toView(
  row: Activity & { action: Action | null },
  vms: Map<number, { id: number; name: string; deletedAt: Date | null }>,
): ActivityView {
  const vm = row.vmId === null ? undefined : vms.get(row.vmId)
  return {
    id: row.id,
    at: row.at.toISOString(),
    kind: activityKindSchema.parse(row.kind),
    summary: row.summary,
    actor: actorSchema.parse({ kind: row.actorKind, name: row.actorName }),
    from: row.fromAddress,
    status: row.kind === 'session.sign_in_failed' ? 'error' : statusOf(row.action),
    errorMessage: row.action?.errorMessage ?? null,
    vm: vm ? { id: vm.id, name: vm.name, deleted: vm.deletedAt !== null } : null,
    actionId: row.actionId,
  }
}

/** Every word of the query is in the sentence, or in the name of who did it. */
function wordsOf(query: string | undefined) {
  return (query ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => ({ OR: [{ summary: { contains: word } }, { actorName: { contains: word } }] }))
}

function kindsOf(groups: readonly ActivityGroup[] | undefined) {
  if (!groups || groups.length === 0) return {}
  const prefixes = groups.flatMap((group): readonly string[] => activityGroups[group])
  return { OR: prefixes.map((prefix) => ({ kind: { startsWith: `${prefix}.` } })) }
}

const failures = { OR: [{ kind: 'session.sign_in_failed' }, { action: { is: { status: 'error' } } }] }

export function activityService({ db }: ServiceContext): PortalServices['activity'] {
  return {
    async list(viewer, { vmId, query, groups, failed, since, cursor, limit }) {
      const { isAdmin, visible } = await standingOf(db, viewer)
      // What happened in the home at large is the administrator's to read; what one did oneself, everybody's.
      const seen = isAdmin && !viewer.token ? {} : { OR: [visible, { actorUserId: viewer.userId }] }
      const rows = await db.activity.findMany({
        where: {
          ...(vmId ? { vmId } : {}),
          ...(cursor ? { id: { lt: cursor } } : {}),
          ...(since ? { at: { gte: new Date(since) } } : {}),
          AND: [seen, ...wordsOf(query), kindsOf(groups), failed ? failures : {}],
        },
        orderBy: { id: 'desc' },
        take: limit + 1,
        include: { action: true },
      })
      const page = rows.slice(0, limit)
      const vmIds = [...new Set(page.flatMap((row) => (row.vmId === null ? [] : [row.vmId])))]
      const vms = await db.vm.findMany({
        where: { id: { in: vmIds } },
        select: { id: true, name: true, deletedAt: true },
      })
      const byId = new Map(vms.map((vm) => [vm.id, vm]))
      return {
        items: page.map((row) => toView(row, byId)),
        nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
      }
    },
  }
}
