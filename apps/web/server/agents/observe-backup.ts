/**
 * Writes what a host reports of its backup disk. Backups that this home has made are rows of actions; those that are
 * found there and unknown (of a home that was lost, of another one's disk) become rows here.
 */
import type { BackupReport, BackupTargetReport } from '@hearth/shared/backup'
import type { Database } from '../db/client.ts'

export async function observeBackupTarget(
  db: Database,
  hostId: number,
  target: BackupTargetReport | null,
): Promise<void> {
  await db.host.update({
    where: { id: hostId },
    data: { backupTarget: target && JSON.stringify(target) },
  })
}

export async function observeBackup(db: Database, hostId: number, report: BackupReport): Promise<void> {
  const { backupUid, vmUid, spec, damaged, consistency } = report
  const facts = {
    spec: JSON.stringify(spec),
    volumes: JSON.stringify(report.volumes),
    bytes: BigInt(report.bytes),
    storedBytes: BigInt(report.storedBytes),
    takenAt: new Date(report.takenAt),
    damaged,
    consistency,
  }
  await db.$transaction(async (tx) => {
    const row = await tx.backup.findUnique({ where: { backupUid } })
    // One whose deletion is known here is on its way out there, or on a disk that was away meanwhile.
    if (row && (row.deletedAt !== null || row.hostId !== hostId)) return
    if (row) {
      const back = row.status === 'missing' ? { status: 'ready' } : {}
      await tx.backup.update({ where: { id: row.id }, data: { ...facts, ...back } })
      return
    }
    const vm = await tx.vm.findUnique({ where: { vmUid } })
    const ours = vm?.hostId === hostId ? { vmId: vm.id, projectId: vm.projectId } : {}
    await tx.backup.create({
      data: { backupUid, hostId, ...ours, vmName: spec.name, status: 'ready', ...facts },
    })
  })
}

/** What is not on the disk that is there stays in the list, as missing: its disk may come back. */
export async function observeBackupAbsence(
  db: Database,
  hostId: number,
  where: { backupUid: string } | { notIn: string[] },
): Promise<void> {
  await db.backup.updateMany({
    where: {
      hostId,
      deletedAt: null,
      status: 'ready',
      backupUid: 'backupUid' in where ? where.backupUid : { notIn: where.notIn },
    },
    data: { status: 'missing' },
  })
}
