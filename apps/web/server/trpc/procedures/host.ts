import { z } from 'zod'
import { hostViewSchema } from '../../views/host.ts'
import { sizeViewSchema } from '../../views/size.ts'
import { memberProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const hostRouter = router({
  list: memberProcedure.output(z.array(hostViewSchema)).query(({ ctx }) => ctx.services.hosts.list()),
  watch: memberProcedure.subscription(({ ctx, signal }) => untilDone(signal, ctx.services.hosts.watch)),
})

export const sizeRouter = router({
  list: memberProcedure.output(z.array(sizeViewSchema)).query(({ ctx }) => ctx.services.sizes.list()),
})
