/** What actions and specifications mean for the rows of volumes. */
import { HearthError } from '@hearth/shared/errors'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { AttachedVolume } from '@hearth/shared/volume'
import { z } from 'zod'
import type { Queries } from '../db/client.ts'
import type { Action, ActionResource, Volume } from '../generated/client.ts'
import type { VolumeView } from '../views/volume.ts'
import { notFound } from './errors.ts'

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

/** Stays the same for as long as the volume is there, so that an fstab may name it. */
export const serialOf = (volumeId: number): string => `volume-${volumeId}`

/** What a volume's status keeps from being done with it. */
export const notReady: Record<VolumeView['status'], string | null> = {
  creating: 'It is being made.',
  deleting: 'It is being deleted.',
  missing: 'Its host does not have it any more.',
  ready: null,
}
export const volumeStatusSchema = z.enum(['creating', 'ready', 'deleting', 'missing'])

export function requireReady(row: Volume): void {
  const why = notReady[volumeStatusSchema.parse(row.status)]
  if (why !== null) throw new HearthError('invalid_state', `${row.name}: ${why}`)
}

/** Volumes for a VM of that project that is being made; those of others do not exist for it. */
export async function freeVolumes(
  tx: Queries,
  { projectId, hostId }: { projectId: number; hostId: number },
  ids: readonly number[],
): Promise<AttachedVolume[]> {
  if (new Set(ids).size !== ids.length)
    throw new HearthError('invalid_input', 'A disk can be attached to a VM once.')
  const found: AttachedVolume[] = []
  for (const id of ids) {
    const volume = await tx.volume.findFirst({
      where: { id, projectId, hostId, deletedAt: null },
      include: { vm: { select: { name: true } } },
    })
    if (!volume) throw notFound('volume')
    requireReady(volume)
    if (volume.vm) throw new HearthError('conflict', `${volume.vm.name} has ${volume.name}. Detach it first.`)
    found.push({ volumeUid: volume.volumeUid, serial: serialOf(id) })
  }
  return found
}

/** Whose a volume is follows the specifications, forwards and back. */
export async function followVolumes(tx: Queries, vmId: number, spec: VmSpec): Promise<void> {
  const uids = (spec.volumes ?? []).map(({ volumeUid }) => volumeUid)
  await tx.volume.updateMany({ where: { vmId, volumeUid: { notIn: uids } }, data: { vmId: null } })
  await tx.volume.updateMany({ where: { volumeUid: { in: uids } }, data: { vmId } })
}
