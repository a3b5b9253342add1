/**
 * Snapshots that are taken by themselves. One that is due while its host is away or its VM is busy is taken as soon
 * as that is over, once; then the plan goes on from there. Only what a schedule took does it remove again.
 */
import { HearthError } from '@hearth/shared/errors'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import { type SnapshotPlan, type SnapshotsView, snapshotPlanSchema } from '../views/snapshot.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { timezoneOf } from './home-timezone.ts'
import { RegularLook } from './regular-look.ts'
import { nextTime } from './schedule-time.ts'
import { deleteSnapshot, takeSnapshot } from './snapshots.ts'
import { findVm } from './vms.ts'

export async function scheduleView(
  queries: Queries,
  vmId: number,
): Promise<Pick<SnapshotsView, 'schedule' | 'timezone'>> {
  const row = await queries.snapshotSchedule.findUnique({ where: { vmId } })
  return {
    schedule: row && { ...snapshotPlanSchema.parse(row), nextAt: row.nextAt.toISOString() },
    timezone: await timezoneOf(queries),
  }
}

export async function setSchedule(
  { db, changes }: ServiceContext,
  viewer: Viewer,
  { vmId, schedule }: { vmId: number; schedule: SnapshotPlan | null },
): Promise<void> {
  await db.$transaction(async (tx) => {
    const vm = await findVm(tx, vmId)
    if (schedule && vm.diskBytes === null)
      throw new HearthError('invalid_input', `${vm.name} has no disk, so there is nothing to keep.`)
    await tx.snapshotSchedule.deleteMany({ where: { vmId } })
    if (schedule)
      await tx.snapshotSchedule.create({
        data: { vmId, ...schedule, nextAt: nextTime(schedule, new Date(), await timezoneOf(tx)) },
      })
    await record(tx, {
      kind: 'vm.schedule',
      summary: schedule
        ? `Snapshots of ${vm.name} are taken every ${schedule.every}; ${schedule.keep} are kept`
        : `Snapshots of ${vm.name} are no longer taken by themselves`,
      actor: actorOf(viewer),
      from: viewer.from,
      projectId: vm.projectId,
      vmId,
    })
  })
  changes.publish('snapshots')
}

export class SnapshotSchedules extends RegularLook {
  readonly #context: ServiceContext

  constructor(context: ServiceContext) {
    super(context.log, 'scheduled snapshots failed')
    this.#context = context
  }

  /** Takes what is due and removes what is too old. */
  protected async work(): Promise<void> {
    const { db, log } = this.#context
    const now = new Date()
    for (const row of await db.snapshotSchedule.findMany({ where: { nextAt: { lte: now } } })) {
      const { vmId } = row
      try {
        await takeSnapshot(this.#context, null, { vmId })
      } catch (error) {
        // Busy or away: the next look tries again. What cannot be had at all is told in the log.
        if (!(error instanceof HearthError)) throw error
        if (error.code !== 'locked' && error.code !== 'host_unavailable' && error.code !== 'invalid_state')
          log.warn('a scheduled snapshot was refused', { vmId, error: error.message })
        continue
      }
      const plan = snapshotPlanSchema.parse(row)
      const nextAt = nextTime(plan, now, await timezoneOf(db))
      await db.snapshotSchedule.updateMany({ where: { vmId, nextAt: row.nextAt }, data: { nextAt } })
    }
    await this.#removeOld()
  }

  async #removeOld(): Promise<void> {
    const { db } = this.#context
    for (const { vmId, keep } of await db.snapshotSchedule.findMany()) {
      const [oldest] = await db.snapshot.findMany({
        where: { vmId, scheduled: true, status: 'ready', deletedAt: null },
        orderBy: { id: 'desc' },
        skip: keep,
      })
      if (!oldest) continue
      try {
        await deleteSnapshot(this.#context, null, { id: oldest.id })
      } catch (error) {
        if (!(error instanceof HearthError)) throw error
      }
    }
  }
}
