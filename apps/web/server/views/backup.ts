import { backupFolderSchema, backupKeySchema, backupTargetReportSchema } from '@hearth/shared/backup'
import { idSchema, nameSchema } from '@hearth/shared/names'
import { snapshotConsistencySchema } from '@hearth/shared/snapshot'
import { z } from 'zod'
import { abilitySchema, idempotencyKeySchema, timeSchema } from './common.ts'
import { snapshotPlanSchema } from './snapshot.ts'

const named = z.object({ id: idSchema, name: z.string() })

/** What is under way with it, to be shown with its progress. */
const workSchema = z.object({
  command: z.enum(['backup_vm', 'restore_backup', 'verify_backup', 'delete_backup']),
  progress: z.int(),
  step: z.string(),
})

export const backupViewSchema = z.object({
  id: idSchema,
  /** As the VM was called then. */
  vmName: z.string(),
  /** null: its VM is gone, or was never this home's. */
  vm: named.nullable(),
  /** null: found on the disk, of no project here; shown to administrators. */
  project: named.nullable(),
  /** `missing`: it is not on the backup disk that is there. */
  status: z.enum(['creating', 'ready', 'deleting', 'missing']),
  scheduled: z.boolean(),
  damaged: z.boolean(),
  consistency: snapshotConsistencySchema.nullable(),
  bytes: z.int(),
  storedBytes: z.int(),
  takenAt: timeSchema,
  work: workSchema.nullable(),
  can: z.object({
    restore: abilitySchema,
    createVm: abilitySchema,
    verify: abilitySchema,
    delete: abilitySchema,
    cancel: abilitySchema,
  }),
})
export type BackupView = z.infer<typeof backupViewSchema>

/** `waiting`: one is due and not made yet, for less than `lateAfterMs`. `none`: nothing is planned, and there is none. */
export const backupStandingSchema = z.enum(['good', 'waiting', 'late', 'failed', 'excluded', 'none'])
export type BackupStanding = z.infer<typeof backupStandingSchema>

const vmBackupsSchema = z.object({
  vm: named,
  project: named,
  standing: backupStandingSchema,
  /** Of the newest one that can be used. */
  lastAt: timeSchema.nullable(),
  dueAt: timeSchema.nullable(),
  /** Why the last one failed. */
  error: z.string().nullable(),
  can: z.object({ take: abilitySchema, exclude: abilitySchema }),
})
export type VmBackupsView = z.infer<typeof vmBackupsSchema>

export const backupsViewSchema = z.object({
  hosts: z.array(
    z.object({
      id: idSchema,
      name: z.string(),
      online: z.boolean(),
      /** null: no place is chosen. The path is for administrators; others see it empty. */
      target: backupTargetReportSchema.nullable(),
      plan: snapshotPlanSchema.extend({ nextAt: timeSchema }).nullable(),
    }),
  ),
  /** Those with something to keep. */
  vms: z.array(vmBackupsSchema),
  /** Newest first. */
  backups: z.array(backupViewSchema),
  /** IANA zone of the home, which the plan follows. */
  timezone: z.string(),
})
export type BackupsView = z.infer<typeof backupsViewSchema>

export const backupTakeInputSchema = z.object({
  vmId: idSchema,
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const backupIncludeInputSchema = z.object({ vmId: idSchema, included: z.boolean() })
export const backupRefInputSchema = z.object({
  id: idSchema,
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const backupCreateVmInputSchema = backupRefInputSchema.extend({ name: nameSchema, start: z.boolean() })
/** null: backups go nowhere any more; what lies in the folder stays. */
export const backupTargetInputSchema = z.object({
  hostId: idSchema,
  folder: backupFolderSchema.nullable(),
  /** With it backups there are encrypted, or were already. Not kept here. */
  key: backupKeySchema.optional(),
})
/** null: none are made by themselves. */
export const backupPlanInputSchema = z.object({ hostId: idSchema, plan: snapshotPlanSchema.nullable() })
