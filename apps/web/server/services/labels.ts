/** Labels are rows, one a key, so that selectors can be queries. */
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import type { PortalServices } from './types.ts'

export function labelsService({ db, changes }: ServiceContext): PortalServices['labels'] {
  return {
    async of(type, ids) {
      const rows = await db.label.findMany({
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
    },
    async set(viewer, type, id, labels) {
      await db.$transaction(async (tx) => {
        await tx.label.deleteMany({ where: { resourceType: type, resourceId: id } })
        const entries = Object.entries(labels)
        await tx.label.createMany({
          data: entries.map(([key, value]) => ({ resourceType: type, resourceId: id, key, value })),
        })
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
