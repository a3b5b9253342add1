import { z } from 'zod'
import { actionViewSchema } from '../../views/action.ts'
import { imageBuildInputSchema, imageViewSchema } from '../../views/image.ts'
import { adminProcedure, personProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const imageRouter = router({
  list: personProcedure
    .output(z.array(imageViewSchema))
    .query(({ ctx }) => ctx.services.images.list(ctx.viewer)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.images.watch(ctx.viewer, until)),
  ),
  build: adminProcedure
    .input(imageBuildInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.build(ctx.viewer, input.imageUid)),
})
