import { z } from 'zod'
import { vmUidSchema } from './names.ts'
import { snapshotConsistencySchema } from './snapshot.ts'
import { vmSpecSchema } from './vm-spec.ts'
import { volumeUidSchema } from './volume.ts'

/** Immutable identity of a backup across processes; names its folder on the backup disk. */
export const backupUidSchema = z.uuid()

/** An absolute path of the host without `..`: an external disk, a network share, another disk. */
export const backupFolderSchema = z
  .string()
  .max(1024)
  .regex(
    /^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\0\n]*[^\0\n/]$/,
    'Give the whole path of a folder on the host, such as /mnt/backup.',
  )

/** What encrypted backups are read with: 64 hexadecimal digits, in groups or not. */
export const backupKeySchema = z
  .string()
  .transform((text) => text.replace(/[\s-]/g, '').toLowerCase())
  .pipe(
    z
      .string()
      .regex(
        /^[0-9a-f]{64}$/,
        'A recovery key has 64 digits, 0 to 9 and a to f. Look whether one is missing.',
      ),
  )

/**
 * The folder backups go to, as its host finds it. `missing`: what was chosen is not there now (its disk is not
 * connected, its share not mounted); nothing is written into the empty mount point. Sizes are bytes.
 */
export const backupTargetReportSchema = z.object({
  folder: z.string(),
  state: z.enum(['ready', 'missing']),
  /** Why it is missing and what to do, for people; null when it is ready. */
  problem: z.string().nullable(),
  totalBytes: z.int().nonnegative(),
  availableBytes: z.int().nonnegative(),
  /** It lies on the disk that the VMs lie on, and goes with it. */
  sameDisk: z.boolean(),
  /** It is held in the host's memory, and what it holds is gone when the host stops. */
  inMemory: z.boolean().optional(),
  /** What lies there is read with its recovery key only. */
  encrypted: z.boolean().optional(),
})
export type BackupTargetReport = z.infer<typeof backupTargetReportSchema>

/** A backup as it lies in the target: one VM's disks, its volumes and its specification at one moment. */
export const backupReportSchema = z.object({
  backupUid: backupUidSchema,
  vmUid: vmUidSchema,
  /** The VM's specification at that moment: enough to make it again where nothing else is left of it. */
  spec: vmSpecSchema,
  takenAt: z.iso.datetime({ precision: 3 }),
  consistency: snapshotConsistencySchema,
  /** Size of all its disks. */
  bytes: z.int().nonnegative(),
  /** What this one added to the target: the first holds everything, later ones what changed. */
  storedBytes: z.int().nonnegative(),
  /** Something of it is missing or was found changed: it cannot be restored. */
  damaged: z.boolean(),
  /** Those of its volumes that are in it. */
  volumes: z.array(z.object({ volumeUid: volumeUidSchema, bytes: z.int().nonnegative() })),
})
export type BackupReport = z.infer<typeof backupReportSchema>

/** What a new VM's disks come from: a backup, and which of its volumes become which new ones. */
export const backupSourceSchema = z.object({
  backupUid: backupUidSchema,
  volumes: z.array(z.object({ from: volumeUidSchema, to: volumeUidSchema })),
})
export type BackupSource = z.infer<typeof backupSourceSchema>
