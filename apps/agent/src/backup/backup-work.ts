/** What is done with a backup that is there, as actions. */
import type { ActionProgress } from '../actions/actions.ts'
import type { BackupStore } from './backup-store.ts'

export async function verifyBackup(
  backups: BackupStore,
  backupUid: string,
  progress: ActionProgress,
): Promise<void> {
  const { manifest } = backups.require(backupUid)
  const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  progress.report(1, 'Reading the backup')
  await backups.verify(backupUid, {
    signal: progress.signal,
    onBytes: (bytes) => {
      done += bytes
      progress.report(1 + (done / Math.max(1, total)) * 98, 'Reading the backup')
    },
  })
}

export async function deleteBackup(
  backups: BackupStore,
  backupUid: string,
  progress: ActionProgress,
): Promise<void> {
  progress.report(10, 'Deleting')
  // Deleted by the agent before this one: what was asked for is so.
  if (backups.has(backupUid)) await backups.remove(backupUid, progress.signal)
}
