import { z } from 'zod'
import { actionListInputSchema, actionViewSchema } from '../../views/action.ts'
import { activityListInputSchema, activityPageSchema } from '../../views/activity.ts'
import { memberProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const actionRouter = router({
  /** Newest first. */
  list: memberProcedure
    .input(actionListInputSchema)
    .output(z.array(actionViewSchema))
    .query(({ ctx, input }) => ctx.services.actions.list(input)),
  watch: memberProcedure
    .input(actionListInputSchema)
    .subscription(({ ctx, input, signal }) =>
      untilDone(signal, (until) => ctx.services.actions.watch(input, until)),
    ),
})

export const activityRouter = router({
  /** Newest first; `nextCursor` leads to older ones. */
  list: memberProcedure
    .input(activityListInputSchema)
    .output(activityPageSchema)
    .query(({ ctx, input }) => ctx.services.activity.list(input)),
})
