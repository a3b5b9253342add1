import { z } from 'zod'
import { actionViewSchema } from '../../views/action.ts'
import {
  volumeAttachInputSchema,
  volumeCreateInputSchema,
  volumeMakeInputSchema,
  volumeRefInputSchema,
  volumeRenameInputSchema,
  volumeResizeInputSchema,
  volumeViewSchema,
} from '../../views/volume.ts'
import { personProcedure, procedureOn, projectProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

const changed = z.object({ volume: volumeViewSchema, action: actionViewSchema })

export const volumeRouter = router({
  list: personProcedure
    .output(z.array(volumeViewSchema))
    .query(({ ctx }) => ctx.services.volumes.list(ctx.viewer)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.volumes.watch(ctx.viewer, until)),
  ),
  /** Made and attached as one thing. */
  create: procedureOn('vm', 'member', 'vmId')
    .input(volumeCreateInputSchema)
    .output(changed)
    .mutation(({ ctx, input }) => ctx.services.volumes.createFor(ctx.viewer, input)),
  /** One that no VM has yet. */
  make: projectProcedure('member')
    .input(volumeMakeInputSchema)
    .output(changed)
    .mutation(({ ctx, input: { projectId: _, ...wanted } }) =>
      ctx.services.volumes.create(ctx.viewer, ctx.projectId, wanted),
    ),
  attach: procedureOn('volume', 'member')
    .input(volumeAttachInputSchema)
    .output(changed)
    .mutation(({ ctx, input }) => ctx.services.volumes.attach(ctx.viewer, input)),
  detach: procedureOn('volume', 'member')
    .input(volumeRefInputSchema)
    .output(changed)
    .mutation(({ ctx, input }) => ctx.services.volumes.detach(ctx.viewer, input)),
  resize: procedureOn('volume', 'member')
    .input(volumeResizeInputSchema)
    .output(changed)
    .mutation(({ ctx, input }) => ctx.services.volumes.resize(ctx.viewer, input)),
  rename: procedureOn('volume', 'member')
    .input(volumeRenameInputSchema)
    .output(volumeViewSchema)
    .mutation(({ ctx, input }) => ctx.services.volumes.rename(ctx.viewer, input)),
  delete: procedureOn('volume', 'member')
    .input(volumeRefInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.volumes.delete(ctx.viewer, input)),
})
