import { actionCommandSchema, actionStatusSchema } from '@hearth/shared/action'
import { creationPhases } from '@hearth/shared/creation'
import { errorReportSchema } from '@hearth/shared/errors'
import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { actorSchema, imageRefSchema, timeSchema, vmRefSchema } from './common.ts'

export const actionViewSchema = z.object({
  id: idSchema,
  command: actionCommandSchema,
  status: actionStatusSchema,
  progress: z.int().min(0).max(100),
  /** What it is doing now, for people. */
  step: z.string(),
  /** What it has gone through so far, oldest first; the last is what it does now. `phase`: of a creation. */
  steps: z.array(z.object({ at: timeSchema, step: z.string(), phase: z.enum(creationPhases).nullable() })),
  /** A person no longer wants it; it takes back what it did, and ends. */
  cancelled: z.boolean(),
  /** Asked for while the host was away: it is done when the host is back. */
  queued: z.boolean(),
  error: errorReportSchema.nullable(),
  startedAt: timeSchema,
  finishedAt: timeSchema.nullable(),
  vm: vmRefSchema.nullable(),
  image: imageRefSchema.nullable(),
  actor: actorSchema,
})
export type ActionView = z.infer<typeof actionViewSchema>

export const actionListInputSchema = z.object({
  vmId: idSchema.optional(),
  limit: z.int().min(1).max(200).default(20),
})
