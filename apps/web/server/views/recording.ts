import { idSchema } from '@hearth/shared/names'
import { recordingEnds, recordingKindSchema, recordingUidSchema } from '@hearth/shared/recording'
import { z } from 'zod'
import { timeSchema, vmRefSchema } from './common.ts'

export const recordingViewSchema = z.object({
  recordingUid: recordingUidSchema,
  /** The VM as it is called now; `deleted` when the recording is all that is left. */
  vm: vmRefSchema.extend({ deleted: z.boolean() }),
  kind: recordingKindSchema,
  /** Who wanted it. */
  startedBy: z.string(),
  startedAt: timeSchema,
  /** Null while it goes on. */
  endedAt: timeSchema.nullable(),
  end: z.enum(recordingEnds).nullable(),
  bytes: z.int(),
})
export type RecordingView = z.infer<typeof recordingViewSchema>

export const recordingListInputSchema = z.object({ vmId: idSchema.optional() })
export const recordingStartViewInputSchema = z.object({ vmId: idSchema, kind: recordingKindSchema })
export const recordingUidInputSchema = z.object({ recordingUid: recordingUidSchema })
