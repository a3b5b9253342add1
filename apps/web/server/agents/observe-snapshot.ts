/** Writes what a host reports of snapshots. Rows are made and ended by actions; this fills in what only the host knows. */
import type { VmSnapshotReport } from '@hearth/shared/snapshot'
import type { Database } from '../db/client.ts'
import { recount } from '../services/quota.ts'

export async function observeSnapshot(db: Database, hostId: number, report: VmSnapshotReport): Promise<void> {
  const where = { snapshotUid: report.snapshotUid, hostId, deletedAt: null }
  await db.$transaction(async (tx) => {
    const row = await tx.snapshot.findFirst({ where })
    if (!row) return
    await tx.snapshot.update({
      where: { id: row.id },
      data: {
        diskBytes: BigInt(report.diskBytes),
        storedBytes: BigInt(report.storedBytes),
        consistency: report.consistency,
        ...(row.status === 'missing' ? { status: 'ready' } : {}),
      },
    })
    if (row.storedBytes !== BigInt(report.storedBytes)) await recount(tx, row.projectId)
  })
}

/** What should be there and is not stays in the list, as missing, until somebody deletes it. */
export async function observeSnapshotAbsence(
  db: Database,
  hostId: number,
  where: { snapshotUid: string } | { notIn: string[] },
): Promise<void> {
  await db.snapshot.updateMany({
    where: {
      hostId,
      deletedAt: null,
      status: 'ready',
      snapshotUid: 'snapshotUid' in where ? where.snapshotUid : { notIn: where.notIn },
    },
    data: { status: 'missing' },
  })
}
