import { z } from 'zod'
import { actionViewSchema } from '../../views/action.ts'
import { imageBuildInputSchema, imageViewSchema } from '../../views/image.ts'
import { adminProcedure, memberProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const imageRouter = router({
  list: memberProcedure.output(z.array(imageViewSchema)).query(({ ctx }) => ctx.services.images.list()),
  watch: memberProcedure.subscription(({ ctx, signal }) => untilDone(signal, ctx.services.images.watch)),
  build: adminProcedure
    .input(imageBuildInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.build(ctx.viewer, input.imageUid)),
})
