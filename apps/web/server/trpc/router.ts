/**
 * The portal's tRPC router, served over WebSocket at `/trpc` as plain JSON: times are strings, sizes are numbers. Pages import
 * its type only.
 * A failed call carries `data.hearth` ({code, message}: show the message) and `data.fields` ([{path, message}]).
 * Every `watch` yields the whole current value at once and again after each change.
 */
import { consoleRouter, sshKeyRouter, tokenRouter } from './procedures/account.ts'
import { actionRouter, activityRouter } from './procedures/action.ts'
import { backupRouter } from './procedures/backup.ts'
import { hostRouter, sizeRouter } from './procedures/host.ts'
import { imageRouter } from './procedures/image.ts'
import { metricRouter } from './procedures/metric.ts'
import {
  homeRouter,
  invitationRouter,
  personRouter,
  projectRouter,
  quotaRouter,
} from './procedures/project.ts'
import { recordingRouter } from './procedures/recording.ts'
import { sessionRouter, setupRouter } from './procedures/session.ts'
import { snapshotRouter } from './procedures/snapshot.ts'
import { vmRouter } from './procedures/vm.ts'
import { volumeRouter } from './procedures/volume.ts'
import { router } from './trpc.ts'

export const appRouter = router({
  session: sessionRouter,
  setup: setupRouter,
  host: hostRouter,
  size: sizeRouter,
  image: imageRouter,
  vm: vmRouter,
  snapshot: snapshotRouter,
  volume: volumeRouter,
  backup: backupRouter,
  metric: metricRouter,
  action: actionRouter,
  activity: activityRouter,
  sshKey: sshKeyRouter,
  token: tokenRouter,
  console: consoleRouter,
  recording: recordingRouter,
  project: projectRouter,
  invitation: invitationRouter,
  quota: quotaRouter,
  home: homeRouter,
  person: personRouter,
})

export type AppRouter = typeof appRouter
