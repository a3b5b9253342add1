import { z } from 'zod'
import {
  recordingListInputSchema,
  recordingStartViewInputSchema,
  recordingUidInputSchema,
  recordingViewSchema,
} from '../../views/recording.ts'
import { adminProcedure, router } from '../trpc.ts'

export const recordingRouter = router({
  list: adminProcedure
    .input(recordingListInputSchema)
    .output(z.array(recordingViewSchema))
    .query(({ ctx, input }) => ctx.services.recordings.list(input)),
  get: adminProcedure
    .input(recordingUidInputSchema)
    .output(recordingViewSchema)
    .query(({ ctx, input }) => ctx.services.recordings.get(input.recordingUid)),
  start: adminProcedure
    .input(recordingStartViewInputSchema)
    .output(recordingViewSchema)
    .mutation(({ ctx, input }) => ctx.services.recordings.start(ctx.viewer, input)),
  stop: adminProcedure
    .input(recordingUidInputSchema)
    .output(recordingViewSchema)
    .mutation(({ ctx, input }) => ctx.services.recordings.stop(ctx.viewer, input.recordingUid)),
  delete: adminProcedure
    .input(recordingUidInputSchema)
    .mutation(({ ctx, input }) => ctx.services.recordings.delete(ctx.viewer, input.recordingUid)),
})
