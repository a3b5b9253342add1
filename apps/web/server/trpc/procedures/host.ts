import { z } from 'zod'
import { hostViewSchema } from '../../views/host.ts'
import { sizeViewSchema } from '../../views/size.ts'
import { personProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const hostRouter = router({
  list: personProcedure
    .output(z.array(hostViewSchema))
    .query(({ ctx }) => ctx.services.hosts.list(ctx.viewer)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.hosts.watch(ctx.viewer, until)),
  ),
})

export const sizeRouter = router({
  list: personProcedure.output(z.array(sizeViewSchema)).query(({ ctx }) => ctx.services.sizes.list()),
})
