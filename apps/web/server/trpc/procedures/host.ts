import { z } from 'zod'
import { hostBridgesInputSchema, hostViewSchema } from '../../views/host.ts'
import { sizeViewSchema } from '../../views/size.ts'
import { adminProcedure, personProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const hostRouter = router({
  list: personProcedure
    .output(z.array(hostViewSchema))
    .query(({ ctx }) => ctx.services.hosts.list(ctx.viewer)),
  setBridges: adminProcedure
    .input(hostBridgesInputSchema)
    .mutation(({ ctx, input }) => ctx.services.hosts.setBridges(ctx.viewer, input)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.hosts.watch(ctx.viewer, until)),
  ),
})

export const sizeRouter = router({
  list: personProcedure.output(z.array(sizeViewSchema)).query(({ ctx }) => ctx.services.sizes.list()),
})
