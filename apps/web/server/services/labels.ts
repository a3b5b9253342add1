/** Labels are rows, one a key, so that selectors can be queries. */
import type { Queries } from '../db/client.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import type { LabelledType, PortalServices } from './types.ts'

/** Replaces all labels of one thing; returns whether that changed anything. */
export async function writeLabels(
  tx: Queries,
  type: LabelledType,
  id: number,
  labels: Record<string, string>,
): Promise<boolean> {
  const where = { resourceType: type, resourceId: id }
  const before = await tx.label.findMany({ where })
  const entries = Object.entries(labels)
  if (before.length === entries.length && before.every(({ key, value }) => labels[key] === value))
    return false
  await tx.label.deleteMany({ where })
  await tx.label.createMany({ data: entries.map(([key, value]) => ({ ...where, key, value })) })
  return true
}

/** Of many things of one type, by their ids. */
export async function labelsOf(
  queries: Queries,
  type: LabelledType,
  ids: readonly number[],
): Promise<Map<number, Record<string, string>>> {
  const rows = await queries.label.findMany({
    where: { resourceType: type, resourceId: { in: [...ids] } },
    orderBy: { key: 'asc' },
  })
  const all = new Map<number, Record<string, string>>()
  for (const { resourceId, key, value } of rows) {
    const labels = all.get(resourceId) ?? {}
    labels[key] = value
    all.set(resourceId, labels)
  }
  return all
}

export function labelsService({ db, changes }: ServiceContext): PortalServices['labels'] {
  return {
    of: (type, ids) => labelsOf(db, type, ids),
    async set(viewer, type, id, labels) {
      await db.$transaction(async (tx) => {
        await writeLabels(tx, type, id, labels)
        const vm = type === 'vm' ? await tx.vm.findUnique({ where: { id } }) : null
        await record(tx, {
          kind: type === 'vm' ? 'vm.update' : 'ssh_key.update',
          summary: vm ? `Changed the labels of ${vm.name}` : 'Changed the labels of an SSH key',
          actor: actorOf(viewer),
          from: viewer.from,
          ...(vm ? { vmId: vm.id, projectId: vm.projectId } : {}),
        })
      })
      changes.publish('vms')
    },
  }
}
