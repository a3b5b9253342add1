import { z } from 'zod'
import { inProjectInputSchema } from '../../views/common.ts'
import {
  vmChangeSchema,
  vmCreateInputSchema,
  vmDeleteInputSchema,
  vmLimitInputSchema,
  vmPowerInputSchema,
  vmProtectInputSchema,
  vmRebuildInputSchema,
  vmRefInputSchema,
  vmShareInputSchema,
  vmUpdateInputSchema,
  vmViewSchema,
} from '../../views/vm.ts'
import { adminProcedure, personProcedure, procedureOn, projectProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const vmRouter = router({
  list: personProcedure.output(z.array(vmViewSchema)).query(({ ctx }) => ctx.services.vms.list(ctx.viewer)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.vms.watch(ctx.viewer, until)),
  ),
  get: procedureOn('vm', 'viewer')
    .input(vmRefInputSchema)
    .output(vmViewSchema)
    .query(({ ctx, input }) => ctx.services.vms.get(ctx.viewer, input.id)),
  proposeName: projectProcedure('viewer')
    .input(inProjectInputSchema)
    .output(z.object({ name: z.string() }))
    .query(async ({ ctx }) => ({ name: await ctx.services.vms.proposeName(ctx.projectId) })),
  create: projectProcedure('member')
    .input(vmCreateInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.create(ctx.viewer, ctx.projectId, input)),
  /** Ends its creation, which then leaves nothing. */
  cancel: procedureOn('vm', 'member')
    .input(vmRefInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.cancel(ctx.viewer, input.id)),
  power: procedureOn('vm', 'member')
    .input(vmPowerInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.power(ctx.viewer, input)),
  update: procedureOn('vm', 'member')
    .input(vmUpdateInputSchema)
    .output(vmViewSchema)
    .mutation(async ({ ctx, input }) => (await ctx.services.vms.update(ctx.viewer, input)).vm),
  limit: procedureOn('vm', 'owner')
    .input(vmLimitInputSchema)
    .output(vmViewSchema)
    .mutation(async ({ ctx, input }) => (await ctx.services.vms.update(ctx.viewer, input)).vm),
  /** Folders of its host: what the box has beside VMs is the administrators' to give. */
  share: adminProcedure
    .input(vmShareInputSchema)
    .output(vmViewSchema)
    .mutation(async ({ ctx, input }) => (await ctx.services.vms.update(ctx.viewer, input)).vm),
  protect: procedureOn('vm', 'member')
    .input(vmProtectInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.protect(ctx.viewer, input)),
  rebuild: procedureOn('vm', 'member')
    .input(vmRebuildInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.rebuild(ctx.viewer, input)),
  delete: procedureOn('vm', 'member')
    .input(vmDeleteInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.vms.delete(ctx.viewer, input)),
})
