/** What the end of an action means for the rows of backups. */
import type { Queries } from '../db/client.ts'
import type { Action, ActionResource } from '../generated/client.ts'

export async function settleBackup(
  tx: Queries,
  action: Action & { resources: ActionResource[] },
): Promise<void> {
  const resource = (type: string) =>
    action.resources.find(({ resourceType }) => resourceType === type)?.resourceId
  const succeeded = action.status === 'success'
  const vmId = resource('vm')
  // Volumes that were made with their VM, from a backup.
  if (action.command === 'create_vm' && succeeded && vmId !== undefined)
    await tx.volume.updateMany({ where: { vmId, status: 'creating' }, data: { status: 'ready' } })
  const id = resource('backup')
  if (id === undefined) return
  const gone = { deletedAt: action.finishedAt ?? new Date() }
  if (action.command === 'backup_vm') {
    await tx.backup.update({ where: { id }, data: succeeded ? { status: 'ready' } : gone })
    if (vmId !== undefined) await settlePlan(tx, vmId, action)
  }
  if (action.command === 'delete_backup')
    await tx.backup.update({ where: { id }, data: succeeded ? gone : { status: 'ready' } })
}

/** Any good backup is the one that was due; what failed is tried again by the plan, and told meanwhile. */
async function settlePlan(tx: Queries, vmId: number, action: Action): Promise<void> {
  if (action.status === 'success')
    await tx.vmBackup.updateMany({ where: { vmId }, data: { dueAt: null, triedAt: null, error: null } })
  else if (action.errorCode !== 'cancelled') {
    const error = action.errorMessage ?? 'It failed.'
    await tx.vmBackup.upsert({ where: { vmId }, create: { vmId, error }, update: { error } })
  }
}
