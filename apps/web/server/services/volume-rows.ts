/** What actions and specifications mean for the rows of volumes. */
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { Queries } from '../db/client.ts'
import type { Action, ActionResource } from '../generated/client.ts'

export async function settleVolume(
  tx: Queries,
  action: Action & { resources: ActionResource[] },
): Promise<void> {
  const id = action.resources.find(({ resourceType }) => resourceType === 'volume')?.resourceId
  if (id === undefined) return
  const succeeded = action.status === 'success'
  const gone = { deletedAt: action.finishedAt ?? new Date(), vmId: null }
  const volume = await tx.volume.findUniqueOrThrow({ where: { id } })
  if (action.command === 'create_volume')
    await tx.volume.update({ where: { id }, data: succeeded ? { status: 'ready' } : gone })
  if (action.command === 'delete_volume')
    await tx.volume.update({ where: { id }, data: succeeded ? gone : { status: 'ready' } })
  if (action.command === 'resize_volume') {
    const bytes = succeeded ? volume.bytes : (volume.previousBytes ?? volume.bytes)
    await tx.volume.update({ where: { id }, data: { bytes, previousBytes: null } })
  }
}

/** Whose a volume is follows the specifications, forwards and back. */
export async function followVolumes(tx: Queries, vmId: number, spec: VmSpec): Promise<void> {
  const uids = (spec.volumes ?? []).map(({ volumeUid }) => volumeUid)
  await tx.volume.updateMany({ where: { vmId, volumeUid: { notIn: uids } }, data: { vmId: null } })
  await tx.volume.updateMany({ where: { volumeUid: { in: uids } }, data: { vmId } })
}
