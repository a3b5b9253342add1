import { z } from 'zod'
import { actionViewSchema } from '../../views/action.ts'
import {
  imageBuildInputSchema,
  imageFromVmInputSchema,
  imageImportInputSchema,
  imageRefInputSchema,
  imageSettingsSchema,
  imageUpdateInputSchema,
  imageUploadInputSchema,
  imageViewSchema,
} from '../../views/image.ts'
import { adminProcedure, personProcedure, procedureOn, projectProcedure, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const imageRouter = router({
  list: personProcedure
    .output(z.array(imageViewSchema))
    .query(({ ctx }) => ctx.services.images.list(ctx.viewer)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.images.watch(ctx.viewer, until)),
  ),
  get: procedureOn('image', 'viewer')
    .input(imageRefInputSchema)
    .output(imageViewSchema)
    .query(({ ctx, input }) => ctx.services.images.get(ctx.viewer, input.id)),
  /** Builds or downloads what the catalogue has. */
  build: adminProcedure
    .input(imageBuildInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.build(ctx.viewer, input.imageUid)),
  /** The same for whatever failed, one's own images too. */
  retry: procedureOn('image', 'owner')
    .input(imageRefInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.retry(ctx.viewer, input.id)),
  import: projectProcedure('owner')
    .input(imageImportInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.import(ctx.viewer, ctx.projectId, input)),
  fromVm: procedureOn('vm', 'owner', 'vmId')
    .input(imageFromVmInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.fromVm(ctx.viewer, input)),
  /** Then the bytes go to `/uploads/<id>` by PATCH, then `finishUpload`. */
  beginUpload: projectProcedure('owner')
    .input(imageUploadInputSchema)
    .output(imageViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.beginUpload(ctx.viewer, ctx.projectId, input)),
  finishUpload: procedureOn('image', 'owner')
    .input(imageRefInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.finishUpload(ctx.viewer, input.id)),
  dropUpload: procedureOn('image', 'owner')
    .input(imageRefInputSchema)
    .mutation(({ ctx, input }) => ctx.services.images.dropUpload(ctx.viewer, input.id)),
  update: procedureOn('image', 'owner')
    .input(imageUpdateInputSchema)
    .output(imageViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.update(ctx.viewer, ctx.projectId, input)),
  cancel: procedureOn('image', 'owner')
    .input(imageRefInputSchema)
    .mutation(({ ctx, input }) => ctx.services.images.cancel(ctx.viewer, input.id)),
  delete: procedureOn('image', 'owner')
    .input(imageRefInputSchema)
    .output(actionViewSchema)
    .mutation(({ ctx, input }) => ctx.services.images.delete(ctx.viewer, input.id)),
  settings: personProcedure.output(imageSettingsSchema).query(({ ctx }) => ctx.services.images.settings()),
  setSettings: adminProcedure
    .input(imageSettingsSchema)
    .output(imageSettingsSchema)
    .mutation(({ ctx, input }) => ctx.services.images.setSettings(ctx.viewer, input)),
})
