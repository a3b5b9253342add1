import { actionViewSchema } from '../../views/action.ts'
import {
  backupCreateVmInputSchema,
  backupIncludeInputSchema,
  backupPlanInputSchema,
  backupRefInputSchema,
  backupsViewSchema,
  backupTakeInputSchema,
  backupTargetInputSchema,
} from '../../views/backup.ts'
import { vmChangeSchema } from '../../views/vm.ts'
import { adminProcedure, personProcedure, procedureOn, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const backupRouter = router({
  list: personProcedure.output(backupsViewSchema).query(({ ctx }) => ctx.services.backups.list(ctx.viewer)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.backups.watch(ctx.viewer, until)),
  ),
  take: procedureOn('vm', 'member', 'vmId')
    .input(backupTakeInputSchema)
    .output(actionViewSchema)
    .mutation(async ({ ctx, input }) => (await ctx.services.backups.take(ctx.viewer, input)).action),
  /** Whether the plan counts for the VM. */
  setIncluded: procedureOn('vm', 'member', 'vmId')
    .input(backupIncludeInputSchema)
    .mutation(({ ctx, input }) => ctx.services.backups.setIncluded(ctx.viewer, input)),
  restore: procedureOn('backup', 'member')
    .input(backupRefInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.backups.restore(ctx.viewer, input)),
  createVm: procedureOn('backup', 'member')
    .input(backupCreateVmInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.backups.createVm(ctx.viewer, input)),
  verify: procedureOn('backup', 'member')
    .input(backupRefInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.backups.verify(ctx.viewer, input)),
  cancel: procedureOn('backup', 'member')
    .input(backupRefInputSchema)
    .mutation(({ ctx, input }) => ctx.services.backups.cancel(ctx.viewer, input.id)),
  delete: procedureOn('backup', 'owner')
    .input(backupRefInputSchema)
    .output(actionViewSchema.nullable())
    .mutation(({ ctx, input }) => ctx.services.backups.delete(ctx.viewer, input)),
  setTarget: adminProcedure
    .input(backupTargetInputSchema)
    .mutation(({ ctx, input }) => ctx.services.backups.setTarget(ctx.viewer, input)),
  setPlan: adminProcedure
    .input(backupPlanInputSchema)
    .mutation(({ ctx, input }) => ctx.services.backups.setPlan(ctx.viewer, input)),
})
