import { z } from 'zod'
import {
  vmChangeSchema,
  vmCreateInputSchema,
  vmDeleteInputSchema,
  vmPowerInputSchema,
  vmRefInputSchema,
  vmUpdateInputSchema,
  vmViewSchema,
} from '../../views/vm.ts'
import { memberProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const vmRouter = router({
  list: memberProcedure.output(z.array(vmViewSchema)).query(({ ctx }) => ctx.services.vms.list()),
  watch: memberProcedure.subscription(({ ctx, signal }) => untilDone(signal, ctx.services.vms.watch)),
  get: memberProcedure
    .input(vmRefInputSchema)
    .output(vmViewSchema)
    .query(({ ctx, input }) => ctx.services.vms.get(input.id)),
  proposeName: memberProcedure
    .output(z.object({ name: z.string() }))
    .query(async ({ ctx }) => ({ name: await ctx.services.vms.proposeName() })),
  create: memberProcedure
    .input(vmCreateInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.create(ctx.viewer, input)),
  power: memberProcedure
    .input(vmPowerInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.power(ctx.viewer, input)),
  update: memberProcedure
    .input(vmUpdateInputSchema)
    .output(vmViewSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.update(ctx.viewer, input)),
  delete: memberProcedure
    .input(vmDeleteInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.delete(ctx.viewer, input)),
})
