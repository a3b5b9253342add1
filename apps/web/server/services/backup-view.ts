/** Backups as somebody sees them, and how the plan stands with each VM. */
import { backupTargetReportSchema } from '@hearth/shared/backup'
import { snapshotConsistencySchema } from '@hearth/shared/snapshot'
import { z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { Action, Backup, Host, Project, VmBackup } from '../generated/client.ts'
import { type BackupStanding, type BackupsView, type BackupView, backupViewSchema } from '../views/backup.ts'
import { type Ability, can, cannot } from '../views/common.ts'
import { snapshotPlanSchema } from '../views/snapshot.ts'
import { mayChange, mayOwn, type Standing, standingOf } from './access.ts'
import type { ServiceContext } from './context.ts'
import { timezoneOf } from './home-timezone.ts'
import { ability, type VmCondition } from './vm-rules.ts'
import { conditionOf, type VmRow, vmInclude } from './vms.ts'

/** A backup that is due for longer is late: a host that is off at night, a disk that is not connected. */
export const lateAfterMs = 2 * 60 * 60_000

export type BackupRow = Backup & { vm: VmRow | null; project: Project | null }
export const backupInclude = { project: true, vm: { include: vmInclude } } as const

export const backupStatusSchema = backupViewSchema.shape.status
const workCommands = z.enum(['backup_vm', 'restore_backup', 'verify_backup', 'delete_backup'])

export const notReady: Record<BackupView['status'], string | null> = {
  creating: 'It is being made.',
  deleting: 'It is being deleted.',
  missing: 'It is not on the backup disk that is there.',
  ready: null,
}
export const damagedWhy = 'It is damaged. Use another one.'

export const targetOf = (host: Pick<Host, 'backupTarget'>) =>
  host.backupTarget === null ? null : backupTargetReportSchema.parse(JSON.parse(host.backupTarget))

/** Whether the place is there: what every use of a backup needs. */
export function targetAbility(online: boolean, host: Pick<Host, 'backupTarget'>): Ability {
  if (!online) return cannot('Its host is away.')
  const target = targetOf(host)
  if (!target) return cannot('There is no place for backups yet. An administrator chooses one.')
  return target.state === 'ready' ? can : cannot(target.problem ?? 'The backup disk is not there.')
}

/** A backup waits for what the VM is busy with, so that does not matter. */
export function takeAbility(condition: VmCondition, place: Ability): Ability {
  if (!condition.hasDisk) return cannot('It has no disk: it runs from memory, so there is nothing to keep.')
  if (condition.state === null || condition.state === 'creating') return cannot('It is not there yet.')
  return place
}

const first = (...conditions: Ability[]): Ability => conditions.find(({ ok }) => !ok) ?? can

export async function backupsView(context: ServiceContext, viewer: Viewer): Promise<BackupsView> {
  const { db, hosts } = context
  const standing = await standingOf(db, viewer)
  const allHosts = await db.host.findMany({ include: { backupPlan: true }, orderBy: { id: 'asc' } })
  const rows = await db.backup.findMany({
    where: { deletedAt: null, ...standing.visible },
    include: backupInclude,
    orderBy: [{ takenAt: 'desc' }, { id: 'desc' }],
  })
  const vms = await db.vm.findMany({
    where: { deletedAt: null, diskBytes: { not: null }, ...standing.visible },
    include: { ...vmInclude, backupState: true },
    orderBy: { name: 'asc' },
  })
  const work = await workOf(context, rows)
  const place = (hostId: number) => {
    const host = allHosts.find(({ id }) => id === hostId)
    return host ? targetAbility(hosts.isOnline(hostId), host) : cannot('Its host is away.')
  }
  return {
    hosts: allHosts.map((host) => {
      const target = targetOf(host)
      return {
        id: host.id,
        name: host.name,
        online: hosts.isOnline(host.id),
        target: target && { ...target, folder: standing.isAdmin ? target.folder : '' },
        plan: host.backupPlan && {
          ...snapshotPlanSchema.parse(host.backupPlan),
          nextAt: host.backupPlan.nextAt.toISOString(),
        },
      }
    }),
    vms: vms.map((vm) => {
      const last = rows.find(({ vmId, status, damaged }) => vmId === vm.id && status === 'ready' && !damaged)
      const planned = allHosts.some(({ id, backupPlan }) => id === vm.hostId && backupPlan)
      const may = mayChange(standing, vm.projectId)
      const making = rows.some(({ vmId, status }) => vmId === vm.id && status === 'creating')
      const take = takeAbility(conditionOf(context, vm), place(vm.hostId))
      return {
        vm: { id: vm.id, name: vm.name },
        project: { id: vm.project.id, name: vm.project.name },
        standing: standingOfVm(vm.backupState, planned, last !== undefined),
        lastAt: last?.takenAt.toISOString() ?? null,
        dueAt: vm.backupState?.dueAt?.toISOString() ?? null,
        error: vm.backupState?.error ?? null,
        can: { take: first(may, making ? cannot('A backup of it is being made.') : can, take), exclude: may },
      }
    }),
    backups: rows.map((row) => toView(context, row, standing, place(row.hostId), work.get(row.id) ?? null)),
    timezone: await timezoneOf(db),
  }
}

function standingOfVm(state: VmBackup | null, planned: boolean, has: boolean): BackupStanding {
  if (state?.error) return 'failed'
  if (state?.excluded) return 'excluded'
  if (state?.dueAt && planned) return Date.now() - state.dueAt.getTime() > lateAfterMs ? 'late' : 'waiting'
  return has ? 'good' : planned ? 'waiting' : 'none'
}

function toView(
  context: ServiceContext,
  row: BackupRow,
  standing: Standing,
  place: Ability,
  action: Action | null,
): BackupView {
  const status = backupStatusSchema.parse(row.status)
  const why = notReady[status]
  const vm = row.vm?.deletedAt === null ? row.vm : null
  const may =
    row.projectId === null ? (standing.isAdmin ? can : cannot('')) : mayChange(standing, row.projectId)
  const owns = row.projectId === null ? may : mayOwn(standing, row.projectId)
  const ready = why === null ? can : cannot(why)
  const idle = action ? cannot('It is in use.') : can
  const whole = row.damaged ? cannot(damagedWhy) : can
  return {
    id: row.id,
    vmName: row.vmName,
    vm: vm && { id: vm.id, name: vm.name },
    project: row.project && { id: row.project.id, name: row.project.name },
    status,
    scheduled: row.scheduled,
    damaged: row.damaged,
    consistency: snapshotConsistencySchema.nullable().parse(row.consistency),
    bytes: Number(row.bytes),
    storedBytes: Number(row.storedBytes),
    takenAt: row.takenAt.toISOString(),
    work: action && {
      command: workCommands.parse(action.command),
      progress: action.progress,
      step: action.step,
    },
    can: {
      restore: first(
        may,
        ready,
        whole,
        place,
        vm ? ability('restore', conditionOf(context, vm)) : cannot('Its VM is gone. Make a new one from it.'),
      ),
      createVm: first(may, ready, whole, place),
      verify: first(may, ready, idle, place),
      delete: status === 'missing' ? owns : first(owns, ready, idle, place),
      cancel: first(
        may,
        action && action.command !== 'delete_backup' && action.cancelledAt === null
          ? can
          : cannot('There is nothing to cancel.'),
      ),
    },
  }
}

/** For each backup the action that is under way with it. */
async function workOf({ db }: ServiceContext, rows: readonly Backup[]): Promise<Map<number, Action>> {
  const running = await db.action.findMany({
    where: { status: 'running', command: { in: workCommands.options } },
    include: { resources: true },
  })
  const ids = new Set(rows.map(({ id }) => id))
  return new Map(
    running.flatMap((action) =>
      action.resources
        .filter(({ resourceType, resourceId }) => resourceType === 'backup' && ids.has(resourceId))
        .map(({ resourceId }) => [resourceId, action] as const),
    ),
  )
}
