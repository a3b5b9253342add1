import { z } from 'zod'
import { actionListInputSchema, actionViewSchema } from '../../views/action.ts'
import { activityListInputSchema, activityPageSchema } from '../../views/activity.ts'
import { personProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const actionRouter = router({
  /** Newest first. */
  list: personProcedure
    .input(actionListInputSchema)
    .output(z.array(actionViewSchema))
    .query(({ ctx, input }) => ctx.services.actions.list(ctx.viewer, input)),
  watch: personProcedure
    .input(actionListInputSchema)
    .subscription(({ ctx, input, signal }) =>
      untilDone(signal, (until) => ctx.services.actions.watch(ctx.viewer, input, until)),
    ),
})

export const activityRouter = router({
  /** Newest first; `nextCursor` leads to older ones. */
  list: personProcedure
    .input(activityListInputSchema)
    .output(activityPageSchema)
    .query(({ ctx, input }) => ctx.services.activity.list(ctx.viewer, input)),
})
