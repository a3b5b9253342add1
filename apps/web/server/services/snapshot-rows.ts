/** What the end of an action means for the rows of snapshots. */
import type { Queries } from '../db/client.ts'
import type { Action, ActionResource } from '../generated/client.ts'

export async function settleSnapshot(
  tx: Queries,
  action: Action & { resources: ActionResource[] },
): Promise<void> {
  const id = action.resources.find(({ resourceType }) => resourceType === 'snapshot')?.resourceId
  if (id === undefined) return
  const succeeded = action.status === 'success'
  const gone = { deletedAt: action.finishedAt ?? new Date() }
  if (action.command === 'snapshot_vm')
    await tx.snapshot.update({ where: { id }, data: succeeded ? { status: 'ready' } : gone })
  if (action.command === 'delete_snapshot')
    await tx.snapshot.update({ where: { id }, data: succeeded ? gone : { status: 'ready' } })
}

/** Snapshots lie beside their VM's disk and go with it. */
export async function deleteSnapshotsOf(tx: Queries, vmId: number, deletedAt: Date): Promise<void> {
  await tx.snapshot.updateMany({ where: { vmId, deletedAt: null }, data: { deletedAt } })
  await tx.snapshotSchedule.deleteMany({ where: { vmId } })
}
