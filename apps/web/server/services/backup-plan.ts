/**
 * Backups that are made by themselves: when the plan of a host says so, one of each VM on it is due. They are made one
 * after the other; what cannot be made is tried again and told meanwhile. Only what the plan made does it delete again.
 */
import { HearthError } from '@hearth/shared/errors'
import type { Viewer } from '../auth/viewer.ts'
import { type SnapshotPlan, snapshotPlanSchema } from '../views/snapshot.ts'
import { actorOf, record } from './activity.ts'
import { deleteBackup, takeBackup } from './backups.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { timezoneOf } from './home-timezone.ts'
import { RegularLook } from './regular-look.ts'
import { nextTime } from './schedule-time.ts'
import { findVm } from './vms.ts'

/** After one that failed; a disk that is not connected is looked for again. */
const tryAgainMs = 15 * 60_000

export async function setPlan(
  { db, changes }: ServiceContext,
  viewer: Viewer,
  { hostId, plan }: { hostId: number; plan: SnapshotPlan | null },
): Promise<void> {
  await db.$transaction(async (tx) => {
    const host = await tx.host.findUnique({ where: { id: hostId } })
    if (!host) throw notFound('host')
    if (plan && host.backupTarget === null)
      throw new HearthError('invalid_state', 'Choose where backups go first.')
    await tx.backupPlan.deleteMany({ where: { hostId } })
    if (plan)
      await tx.backupPlan.create({
        data: { hostId, ...plan, nextAt: nextTime(plan, new Date(), await timezoneOf(tx)) },
      })
    else
      await tx.vmBackup.updateMany({
        where: { vm: { hostId } },
        data: { dueAt: null, triedAt: null, error: null },
      })
    await record(tx, {
      kind: 'home.update',
      summary: plan
        ? `VMs of ${host.name} are backed up every ${plan.every}; ${plan.keep} backups of each are kept`
        : `VMs of ${host.name} are no longer backed up by themselves`,
      actor: actorOf(viewer),
      from: viewer.from,
    })
  })
  changes.publish('backups')
}

export async function setIncluded(
  { db, changes }: ServiceContext,
  viewer: Viewer,
  { vmId, included }: { vmId: number; included: boolean },
): Promise<void> {
  await db.$transaction(async (tx) => {
    const vm = await findVm(tx, vmId)
    const excluded = !included
    const nothingDue = excluded ? { dueAt: null, triedAt: null, error: null } : {}
    await tx.vmBackup.upsert({
      where: { vmId },
      create: { vmId, excluded },
      update: { excluded, ...nothingDue },
    })
    await record(tx, {
      kind: 'vm.schedule',
      summary: included ? `${vm.name} is backed up by itself` : `${vm.name} is not backed up by itself`,
      actor: actorOf(viewer),
      from: viewer.from,
      projectId: vm.projectId,
      vmId,
    })
  })
  changes.publish('backups')
}

export class BackupPlans extends RegularLook {
  readonly #context: ServiceContext

  constructor(context: ServiceContext) {
    super(context.log, 'planned backups failed')
    this.#context = context
  }

  /** Begins what is due and deletes what is too old. */
  protected async work(): Promise<void> {
    const { db, hosts } = this.#context
    for (const row of await db.backupPlan.findMany()) {
      const { hostId, nextAt } = row
      const plan = snapshotPlanSchema.parse(row)
      const now = new Date()
      if (nextAt <= now) await this.#makeDue(hostId, plan, nextAt, now)
      if (!hosts.isOnline(hostId)) continue
      await this.#takeNext(hostId, now)
      await this.#deleteOld(hostId, plan.keep)
    }
  }

  async #makeDue(hostId: number, plan: SnapshotPlan, due: Date, now: Date): Promise<void> {
    const { db, changes } = this.#context
    await db.$transaction(async (tx) => {
      const nextAt = nextTime(plan, now, await timezoneOf(tx))
      const moved = await tx.backupPlan.updateMany({ where: { hostId, nextAt: due }, data: { nextAt } })
      if (moved.count === 0) return
      const vms = await tx.vm.findMany({
        where: {
          hostId,
          deletedAt: null,
          diskBytes: { not: null },
          NOT: { backupState: { OR: [{ excluded: true }, { dueAt: { not: null } }] } },
        },
        select: { id: true },
      })
      for (const { id: vmId } of vms)
        await tx.vmBackup.upsert({
          where: { vmId },
          create: { vmId, dueAt: due },
          update: { dueAt: due, triedAt: null },
        })
    })
    changes.publish('backups')
  }

  async #takeNext(hostId: number, now: Date): Promise<void> {
    const { db, changes } = this.#context
    const running = await db.action.count({ where: { hostId, command: 'backup_vm', status: 'running' } })
    if (running > 0) return
    const due = await db.vmBackup.findMany({
      where: {
        excluded: false,
        dueAt: { not: null },
        vm: { hostId, deletedAt: null },
        OR: [{ triedAt: null }, { triedAt: { lt: new Date(now.getTime() - tryAgainMs) } }],
      },
      orderBy: [{ dueAt: 'asc' }, { vmId: 'asc' }],
    })
    for (const { vmId } of due) {
      await db.vmBackup.update({ where: { vmId }, data: { triedAt: now } })
      try {
        await takeBackup(this.#context, null, { vmId })
        return
      } catch (error) {
        if (!(error instanceof HearthError)) throw error
        await db.vmBackup.updateMany({ where: { vmId }, data: { error: error.userMessage } })
        changes.publish('backups')
      }
    }
  }

  async #deleteOld(hostId: number, keep: number): Promise<void> {
    const { db } = this.#context
    const where = { hostId, scheduled: true, status: 'ready', damaged: false, deletedAt: null }
    const counts = await db.backup.groupBy({ by: ['vmId'], where, _count: true })
    for (const { vmId, _count } of counts) {
      if (vmId === null || _count <= keep) continue
      const oldest = await db.backup.findFirst({
        where: { ...where, vmId },
        orderBy: [{ takenAt: 'asc' }, { id: 'asc' }],
      })
      if (!oldest) continue
      try {
        await deleteBackup(this.#context, null, { id: oldest.id })
      } catch (error) {
        if (!(error instanceof HearthError)) throw error
      }
    }
  }
}
