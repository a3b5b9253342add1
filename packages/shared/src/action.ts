import { z } from 'zod'
import { errorReportSchema } from './errors.ts'
import { idSchema, imageUidSchema, vmUidSchema } from './names.ts'

/** Long work is an action. The same ids on portal and agent, so both can be asked after a crash. */
export const actionCommands = [
  'create_vm',
  'delete_vm',
  'start_vm',
  'shutdown_vm',
  'reboot_vm',
  'poweroff_vm',
  'reset_vm',
  'suspend_vm',
  'update_vm',
  'rebuild_vm',
  'protect_vm',
  'snapshot_vm',
  'restore_vm',
  'delete_snapshot',
  'backup_vm',
  'restore_backup',
  'verify_backup',
  'delete_backup',
  'create_volume',
  'attach_volume',
  'detach_volume',
  'resize_volume',
  'delete_volume',
  'build_image',
  'download_image',
  'import_image',
  'create_image',
  'protect_image',
  'delete_image',
] as const
export const actionCommandSchema = z.enum(actionCommands)
export type ActionCommand = z.infer<typeof actionCommandSchema>

export const actionStatusSchema = z.enum(['running', 'success', 'error'])
export type ActionStatus = z.infer<typeof actionStatusSchema>

/** An action as its host reports it. Times are ISO 8601 UTC with milliseconds; progress is 0 to 100. */
export const actionReportSchema = z.object({
  actionId: idSchema,
  command: actionCommandSchema,
  status: actionStatusSchema,
  progress: z.int().min(0).max(100),
  /** What it is doing now, for people: "Copying the image". */
  step: z.string(),
  error: errorReportSchema.nullable(),
  startedAt: z.iso.datetime({ precision: 3 }),
  finishedAt: z.iso.datetime({ precision: 3 }).nullable(),
  vmUid: vmUidSchema.nullable(),
  imageUid: imageUidSchema.nullable(),
})
export type ActionReport = z.infer<typeof actionReportSchema>
