import { nameSchema } from '@hearth/shared/names'
import { z } from 'zod'
import {
  snapshotListInputSchema,
  snapshotRefInputSchema,
  snapshotRenameInputSchema,
  snapshotScheduleInputSchema,
  snapshotsViewSchema,
  snapshotTakeInputSchema,
} from '../../views/snapshot.ts'
import { vmChangeSchema } from '../../views/vm.ts'
import { procedureOn, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const snapshotRouter = router({
  list: procedureOn('vm', 'viewer', 'vmId')
    .input(snapshotListInputSchema)
    .output(snapshotsViewSchema)
    .query(({ ctx, input }) => ctx.services.snapshots.list(ctx.viewer, input.vmId)),
  watch: procedureOn('vm', 'viewer', 'vmId')
    .input(snapshotListInputSchema)
    .subscription(({ ctx, input, signal }) =>
      untilDone(signal, (until) => ctx.services.snapshots.watch(ctx.viewer, input.vmId, until)),
    ),
  take: procedureOn('vm', 'member', 'vmId')
    .input(snapshotTakeInputSchema)
    .output(vmChangeSchema)
    .mutation(async ({ ctx, input }) => (await ctx.services.snapshots.take(ctx.viewer, input)).change),
  rename: procedureOn('snapshot', 'member')
    .input(snapshotRenameInputSchema)
    .mutation(({ ctx, input }) => ctx.services.snapshots.rename(ctx.viewer, input)),
  restore: procedureOn('snapshot', 'member')
    .input(snapshotRefInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.snapshots.restore(ctx.viewer, input)),
  delete: procedureOn('snapshot', 'member')
    .input(snapshotRefInputSchema)
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.snapshots.delete(ctx.viewer, input)),
  createVm: procedureOn('snapshot', 'member')
    .input(snapshotRefInputSchema.extend({ name: nameSchema, start: z.boolean() }))
    .output(vmChangeSchema)
    .mutation(({ ctx, input }) => ctx.services.snapshots.createVm(ctx.viewer, input)),
  /** Replaces the schedule. */
  schedule: procedureOn('vm', 'member', 'vmId')
    .input(snapshotScheduleInputSchema)
    .mutation(({ ctx, input }) => ctx.services.snapshots.setSchedule(ctx.viewer, input)),
})
