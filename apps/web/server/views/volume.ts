import { idSchema } from '@hearth/shared/names'
import { volumeBytesSchema, volumeFormatSchema } from '@hearth/shared/volume'
import { z } from 'zod'
import { abilitySchema, idempotencyKeySchema, projectRefSchema, timeSchema, vmRefSchema } from './common.ts'

export const volumeViewSchema = z.object({
  id: idSchema,
  name: z.string(),
  bytes: z.int(),
  /** Bytes it takes on the host; null until its host has told. */
  usedBytes: z.int().nullable(),
  format: volumeFormatSchema,
  /** `missing`: its host does not have it any more. */
  status: z.enum(['creating', 'ready', 'deleting', 'missing']),
  /** The VM that has it. */
  vm: vmRefSchema.nullable(),
  project: projectRefSchema,
  /** What a Linux guest finds it by, whatever the order of its disks. */
  device: z.string(),
  createdAt: timeSchema,
  can: z.object({
    attach: abilitySchema,
    detach: abilitySchema,
    resize: abilitySchema,
    delete: abilitySchema,
  }),
})
export type VolumeView = z.infer<typeof volumeViewSchema>

export const volumeNameSchema = z
  .string()
  .trim()
  .min(1, 'Give it a name.')
  .max(63, 'A name has at most 63 characters.')
  .regex(/^\P{Cc}*$/u, 'A name cannot hold control characters.')

export const volumeCreateInputSchema = z.object({
  /** The VM that gets it, off now. */
  vmId: idSchema,
  name: volumeNameSchema,
  bytes: volumeBytesSchema,
  format: volumeFormatSchema,
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const volumeMakeInputSchema = volumeCreateInputSchema.omit({ vmId: true }).extend({
  /** Absent: the person's own. */
  projectId: idSchema.optional(),
})
export const volumeRefInputSchema = z.object({
  id: idSchema,
  idempotencyKey: idempotencyKeySchema.optional(),
})
/** `vm` is of the same project as the volume, or is not found. */
export const volumeAttachInputSchema = volumeRefInputSchema.extend({ vm: idSchema })
export const volumeResizeInputSchema = volumeRefInputSchema.extend({ bytes: volumeBytesSchema })
export const volumeRenameInputSchema = z.object({ id: idSchema, name: volumeNameSchema })
