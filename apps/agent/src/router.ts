/** The agent's control router, as `@hearth/shared/agent-protocol` describes it. */
import { actionReportSchema } from '@hearth/shared/action'
import {
  actionGetInputSchema,
  backupRefInputSchema,
  backupTargetInputSchema,
  backupVmInputSchema,
  hostInfoSchema,
  imageBuildInputSchema,
  imageCreateInputSchema,
  imageDeleteInputSchema,
  imageImportInputSchema,
  shutdownGuestsInputSchema,
  shutdownGuestsOutputSchema,
  vmCreateInputSchema,
  vmPowerInputSchema,
  vmRebuildInputSchema,
  vmRefInputSchema,
  vmReportSchema,
  vmSnapshotInputSchema,
  vmUpdateInputSchema,
  volumeCreateInputSchema,
  volumeGrowInputSchema,
  volumeRefInputSchema,
} from '@hearth/shared/agent-protocol'
import { backupTargetReportSchema } from '@hearth/shared/backup'
import { imageReportSchema } from '@hearth/shared/image'
import {
  recordingRefInputSchema,
  recordingReportSchema,
  recordingStartInputSchema,
} from '@hearth/shared/recording'
import { z } from 'zod'
import { procedure, router } from './api/trpc.ts'

export const agentRouter = router({
  host: router({
    info: procedure.output(hostInfoSchema).query(({ ctx }) => ctx.services.hostInfo()),
    shutdownGuests: procedure
      .input(shutdownGuestsInputSchema)
      .output(shutdownGuestsOutputSchema)
      .mutation(({ ctx, input }) => ctx.services.shutdownGuests(input.timeoutMs)),
  }),
  vm: router({
    list: procedure.output(z.array(vmReportSchema)).query(({ ctx }) => ctx.services.listVms()),
    create: procedure
      .input(vmCreateInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.createVm(input)),
    power: procedure
      .input(vmPowerInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.powerVm(input)),
    update: procedure
      .input(vmUpdateInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.updateVm(input)),
    rebuild: procedure
      .input(vmRebuildInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.rebuildVm(input)),
    delete: procedure
      .input(vmRefInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.deleteVm(input)),
    snapshot: procedure
      .input(vmSnapshotInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.snapshotVm(input)),
    restore: procedure
      .input(vmSnapshotInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.restoreVm(input)),
    deleteSnapshot: procedure
      .input(vmSnapshotInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.deleteSnapshot(input)),
  }),
  backup: router({
    setTarget: procedure
      .input(backupTargetInputSchema)
      .output(backupTargetReportSchema.nullable())
      .mutation(({ ctx, input }) => ctx.services.backups.setTarget(input)),
    take: procedure
      .input(backupVmInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.backups.take(input)),
    restore: procedure
      .input(backupVmInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.backups.restore(input)),
    verify: procedure
      .input(backupRefInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.backups.verify(input)),
    delete: procedure
      .input(backupRefInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.backups.delete(input)),
  }),
  volume: router({
    create: procedure
      .input(volumeCreateInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.createVolume(input)),
    grow: procedure
      .input(volumeGrowInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.growVolume(input)),
    delete: procedure
      .input(volumeRefInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.deleteVolume(input)),
  }),
  image: router({
    list: procedure.output(z.array(imageReportSchema)).query(({ ctx }) => ctx.services.listImages()),
    build: procedure
      .input(imageBuildInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.buildImage(input)),
    import: procedure
      .input(imageImportInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.importImage(input)),
    create: procedure
      .input(imageCreateInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.createImage(input)),
    delete: procedure
      .input(imageDeleteInputSchema)
      .output(actionReportSchema)
      .mutation(({ ctx, input }) => ctx.services.deleteImage(input)),
  }),
  recording: router({
    list: procedure.output(z.array(recordingReportSchema)).query(({ ctx }) => ctx.services.recordings.list()),
    start: procedure
      .input(recordingStartInputSchema)
      .output(recordingReportSchema)
      .mutation(({ ctx, input }) => ctx.services.recordings.start(input)),
    stop: procedure
      .input(recordingRefInputSchema)
      .output(recordingReportSchema)
      .mutation(({ ctx, input }) => ctx.services.recordings.stop(input.recordingUid)),
    delete: procedure
      .input(recordingRefInputSchema)
      .mutation(({ ctx, input }) => ctx.services.recordings.remove(input.recordingUid)),
  }),
  action: router({
    get: procedure
      .input(actionGetInputSchema)
      .output(actionReportSchema.nullable())
      .query(({ ctx, input }) => ctx.services.getAction(input.actionId)),
    cancel: procedure
      .input(actionGetInputSchema)
      .output(actionReportSchema.nullable())
      .mutation(({ ctx, input }) => ctx.services.cancelAction(input.actionId)),
  }),
  /** Begins with one `snapshot`; nothing that happens after it is missed. */
  events: procedure.subscription(({ ctx, signal }) =>
    ctx.services.events(signal ?? new AbortController().signal, ctx.sink),
  ),
})

export type AgentRouter = typeof agentRouter
