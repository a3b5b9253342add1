/** Writes what a host reports of volumes. Rows are made and ended by actions; this fills in what only the host knows. */
import type { VolumeReport } from '@hearth/shared/volume'
import type { Database } from '../db/client.ts'

export async function observeVolume(db: Database, hostId: number, report: VolumeReport): Promise<void> {
  const where = { volumeUid: report.volumeUid, hostId, deletedAt: null }
  await db.volume.updateMany({ where, data: { usedBytes: BigInt(report.storedBytes) } })
  await db.volume.updateMany({ where: { ...where, status: 'missing' }, data: { status: 'ready' } })
}

/** What should be there and is not stays in the list, as missing, until somebody deletes it. */
export async function observeVolumeAbsence(
  db: Database,
  hostId: number,
  where: { volumeUid: string } | { notIn: string[] },
): Promise<void> {
  await db.volume.updateMany({
    where: {
      hostId,
      deletedAt: null,
      status: 'ready',
      volumeUid: 'volumeUid' in where ? where.volumeUid : { notIn: where.notIn },
    },
    data: { status: 'missing' },
  })
}
