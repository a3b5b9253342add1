import { idSchema } from '@hearth/shared/names'
import { snapshotConsistencySchema } from '@hearth/shared/snapshot'
import { z } from 'zod'
import { abilitySchema, idempotencyKeySchema, timeSchema } from './common.ts'

const snapshotViewSchema = z.object({
  id: idSchema,
  name: z.string(),
  /** `missing`: its host does not have it any more. */
  status: z.enum(['creating', 'ready', 'deleting', 'missing']),
  scheduled: z.boolean(),
  /** null until its host has told. */
  consistency: snapshotConsistencySchema.nullable(),
  diskBytes: z.int(),
  /** Bytes it holds on the host; null until its host has told. */
  storedBytes: z.int().nullable(),
  createdAt: timeSchema,
  can: z.object({ restore: abilitySchema, createVm: abilitySchema, delete: abilitySchema }),
})
export type SnapshotView = z.infer<typeof snapshotViewSchema>

const snapshotEveries = ['hour', 'day', 'week'] as const
export const snapshotPlanSchema = z.object({
  every: z.enum(snapshotEveries),
  /** Minutes after midnight in the home's time zone; after the full hour for `hour`. */
  minute: z.int().min(0).max(1439),
  /** 0 Sunday to 6 Saturday; only for `week`. */
  weekday: z.int().min(0).max(6),
  keep: z.int().min(1).max(100),
})
export type SnapshotPlan = z.infer<typeof snapshotPlanSchema>

export const snapshotsViewSchema = z.object({
  /** Newest first. */
  snapshots: z.array(snapshotViewSchema),
  schedule: snapshotPlanSchema.extend({ nextAt: timeSchema }).nullable(),
  /** IANA zone of the home, which the schedule follows. */
  timezone: z.string(),
})
export type SnapshotsView = z.infer<typeof snapshotsViewSchema>

export const snapshotNameSchema = z
  .string()
  .trim()
  .min(1, 'Give it a name.')
  .max(63, 'A name has at most 63 characters.')
  .regex(/^\P{Cc}*$/u, 'A name cannot hold control characters.')

export const snapshotListInputSchema = z.object({ vmId: idSchema })
export const snapshotTakeInputSchema = z.object({
  vmId: idSchema,
  /** Absent: named by the moment it was taken. */
  name: snapshotNameSchema.optional(),
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const snapshotRefInputSchema = z.object({
  id: idSchema,
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const snapshotRenameInputSchema = z.object({ id: idSchema, name: snapshotNameSchema })
export const snapshotScheduleInputSchema = z.object({
  vmId: idSchema,
  /** null: none are taken by themselves any more. */
  schedule: snapshotPlanSchema.nullable(),
})
