/** Backups: taken, verified, put back, made into VMs, deleted; where they go. The plan is in backup-plan.ts. */

import { randomUUID } from 'node:crypto'
import type { BackupTargetInput } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { Viewer } from '../auth/viewer.ts'
import type { BackupView } from '../views/backup.ts'
import type { VmChange } from '../views/vm.ts'
import { type ActionRow, actionViews, beginAction, findRepeated, requestHash } from './actions.ts'
import { actorOf, record } from './activity.ts'
import { createVmFromBackup } from './backup-create-vm.ts'
import { setIncluded, setPlan } from './backup-plan.ts'
import { type BackupRow, dayOf, findBackup, requireReadyBackup } from './backup-source.ts'
import { backupsView, damagedWhy, takeAbility, targetAbility } from './backup-view.ts'
import type { AgentRequest, ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { defaultProjectId } from './home.ts'
import type { BackupRef, PortalServices } from './types.ts'
import { change, refusedOr } from './vm-change.ts'
import { conditionOf, findVm } from './vms.ts'

/** Those that people make are kept until somebody deletes them; without a bound, one VM could fill the disk. */
const madeByHand = 20

/** `viewer` is null for what the plan takes. */
export async function takeBackup(
  context: ServiceContext,
  viewer: Viewer | null,
  input: { vmId: number; idempotencyKey?: string | undefined },
): Promise<{ backupId: number; action: ActionRow }> {
  const { db, hosts, changes } = context
  const { vmId, idempotencyKey } = input
  const idempotency =
    idempotencyKey === undefined ? undefined : { key: idempotencyKey, hash: requestHash({ backup_vm: vmId }) }
  const repeated = viewer && (await findRepeated(db, viewer, idempotency))
  if (repeated) return { backupId: backupOf(repeated), action: repeated }
  const { action, backup } = await db.$transaction(async (tx) => {
    const vm = await findVm(tx, vmId)
    const condition = conditionOf(context, vm)
    const able = takeAbility(condition, targetAbility(condition.hostOnline, vm.host))
    if (!able.ok) throw new HearthError('invalid_state', able.why ?? 'It cannot be backed up now.')
    const running = await tx.backup.count({ where: { vmId, status: 'creating', deletedAt: null } })
    if (running > 0) throw new HearthError('locked', `A backup of ${vm.name} is being made already.`)
    const byHand = await tx.backup.count({ where: { vmId, scheduled: false, deletedAt: null } })
    if (viewer && byHand >= madeByHand)
      throw new HearthError(
        'resource_limit_exceeded',
        `${vm.name} has ${byHand} backups that were made by hand. Delete one of them first.`,
      )
    const backup = await tx.backup.create({
      data: {
        backupUid: randomUUID(),
        hostId: vm.hostId,
        projectId: vm.projectId,
        vmId,
        vmName: vm.name,
        status: 'creating',
        scheduled: viewer === null,
        spec: vm.spec,
        bytes: vm.diskBytes ?? 0n,
        takenAt: new Date(),
      },
    })
    const action = await beginAction(tx, {
      command: 'backup_vm',
      viewer,
      projectId: vm.projectId,
      hostId: vm.hostId,
      vmId,
      backupId: backup.id,
      request: { kind: 'backup', vmUid: vm.vmUid, backupUid: backup.backupUid },
      summary: `Backed up ${vm.name}`,
      step: 'Asking the host',
      ...(idempotency ? { idempotency } : {}),
    })
    return { action, backup }
  })
  changes.publish('backups', 'actions')
  await hosts.dispatch(action.id)
  return { backupId: backup.id, action }
}

/** Work on a backup that holds no VM. */
async function onBackup(
  context: ServiceContext,
  viewer: Viewer | null,
  ref: BackupRef,
  what: {
    command: 'verify_backup' | 'delete_backup'
    summary: (name: string) => string
    request: (backupUid: string) => AgentRequest
    check: (row: BackupRow) => void
  },
): Promise<ActionRow> {
  const { db, hosts, changes } = context
  const idempotency =
    ref.idempotencyKey === undefined
      ? undefined
      : { key: ref.idempotencyKey, hash: requestHash({ [what.command]: ref.id }) }
  const repeated = viewer && (await findRepeated(db, viewer, idempotency))
  if (repeated) return repeated
  const action = await db.$transaction(async (tx) => {
    const row = await findBackup(tx, ref.id)
    what.check(row)
    const busy = await tx.action.count({
      where: {
        status: 'running',
        resources: { some: { resourceType: 'backup', resourceId: row.id } },
      },
    })
    if (busy > 0) throw new HearthError('locked', 'This backup is in use. Wait until that is done.')
    if (what.command === 'delete_backup')
      await tx.backup.update({ where: { id: row.id }, data: { status: 'deleting' } })
    return beginAction(tx, {
      command: what.command,
      viewer,
      projectId: row.projectId ?? (await defaultProjectId(tx)),
      hostId: row.hostId,
      backupId: row.id,
      request: what.request(row.backupUid),
      summary: what.summary(`the backup of ${row.vmName} from ${dayOf(row)}`),
      step: hosts.isOnline(row.hostId) ? 'Asking the host' : 'Waiting for the host to come back',
      ...(idempotency ? { idempotency } : {}),
    })
  })
  changes.publish('backups', 'actions')
  await hosts.dispatch(action.id)
  return action
}

export async function deleteBackup(
  context: ServiceContext,
  viewer: Viewer | null,
  ref: BackupRef,
): Promise<ActionRow | null> {
  const { db, changes } = context
  const row = await findBackup(db, ref.id)
  if (row.status === 'missing') {
    // There is nothing that could be deleted; only the list forgets it.
    await db.$transaction(async (tx) => {
      await tx.backup.update({ where: { id: row.id }, data: { deletedAt: new Date() } })
      await record(tx, {
        kind: 'vm.backup_delete',
        summary: `Forgot the backup of ${row.vmName} from ${dayOf(row)}, which is not on the backup disk`,
        actor: actorOf(viewer),
        from: viewer?.from ?? null,
        projectId: row.projectId,
        ...(row.vmId === null ? {} : { vmId: row.vmId }),
      })
    })
    changes.publish('backups')
    return null
  }
  return onBackup(context, viewer, ref, {
    command: 'delete_backup',
    summary: (name) => `Deleted ${name}`,
    request: (backupUid) => ({ kind: 'delete_backup', backupUid }),
    check: requireReadyBackup,
  })
}

async function restore(context: ServiceContext, viewer: Viewer, ref: BackupRef): Promise<VmChange> {
  const { vmId } = await findBackup(context.db, ref.id)
  if (vmId === null)
    throw new HearthError('invalid_state', 'Its VM is not here. Make a new one from the backup.')
  const action = await change(context, viewer, {
    what: 'restore',
    command: 'restore_backup',
    id: vmId,
    idempotencyKey: ref.idempotencyKey,
    asked: { backup: ref.id },
    plan: async (vm, tx) => {
      const row = await findBackup(tx, ref.id)
      requireReadyBackup(row)
      if (row.damaged) throw new HearthError('invalid_state', damagedWhy)
      return {
        request: { kind: 'restore_backup', vmUid: vm.vmUid, backupUid: row.backupUid },
        summary: `Took ${vm.name} back to its backup from ${dayOf(row)}`,
        backupId: row.id,
      }
    },
  })
  context.changes.publish('backups')
  return refusedOr(context, action)
}

async function cancel(context: ServiceContext, viewer: Viewer, id: number): Promise<void> {
  const { db, hosts, changes } = context
  const action = await db.$transaction(async (tx) => {
    const row = await findBackup(tx, id)
    const running = await tx.action.findFirst({
      where: {
        status: 'running',
        command: { in: ['backup_vm', 'restore_backup', 'verify_backup'] },
        resources: { some: { resourceType: 'backup', resourceId: id } },
      },
    })
    if (!running) throw new HearthError('invalid_state', 'There is nothing to cancel any more.')
    await tx.action.updateMany({
      where: { id: running.id, cancelledAt: null },
      data: { cancelledAt: new Date() },
    })
    await record(tx, {
      kind: 'vm.backup_cancel',
      summary: `Cancelled what was done with the backup of ${row.vmName} from ${dayOf(row)}`,
      actor: actorOf(viewer),
      from: viewer.from,
      projectId: row.projectId,
      ...(row.vmId === null ? {} : { vmId: row.vmId }),
    })
    return running
  })
  changes.publish('backups', 'actions')
  await hosts.dispatchCancel(action.id)
}

async function setTarget(
  { db, hosts, changes }: ServiceContext,
  viewer: Viewer,
  { hostId, folder, key }: BackupTargetInput & { hostId: number },
): Promise<void> {
  const host = await db.host.findUnique({ where: { id: hostId } })
  if (!host) throw notFound('host')
  // The host looks at it and tells what it found, which is written as every report of it is.
  await hosts.setBackupTarget(hostId, { folder, ...(key === undefined ? {} : { key }) })
  await db.$transaction((tx) =>
    record(tx, {
      kind: 'home.update',
      summary:
        folder === null
          ? `Backups of ${host.name} go nowhere any more`
          : key === undefined
            ? `Backups of ${host.name} go to ${folder}`
            : `Backups of ${host.name} go to ${folder}, encrypted`,
      actor: actorOf(viewer),
      from: viewer.from,
    }),
  )
  changes.publish('backups', 'hosts')
}

function backupOf(action: ActionRow): number {
  const resource = action.resources.find(({ resourceType }) => resourceType === 'backup')
  if (!resource) throw new Error(`action ${action.id} has no backup`)
  return resource.resourceId
}

export function backupsService(context: ServiceContext): PortalServices['backups'] {
  const { db, changes } = context
  const list = (viewer: Viewer) => backupsView(context, viewer)
  const one = async (viewer: Viewer, id: number): Promise<BackupView> => {
    const found = (await list(viewer)).backups.find((backup) => backup.id === id)
    if (!found) throw notFound('backup')
    return found
  }
  const answer = async (action: ActionRow) => {
    const now = await db.action.findUniqueOrThrow({ where: { id: action.id }, include: { resources: true } })
    const [view] = await actionViews(db, [now])
    if (view?.error && view.progress === 0) throw new HearthError(view.error.code, view.error.message)
    return view!
  }
  return {
    list,
    get: one,
    watch: (viewer, signal) =>
      changes.watch(['backups', 'vms', 'actions', 'hosts', 'people'], () => list(viewer), signal),
    async take(viewer, input) {
      const { backupId, action } = await takeBackup(context, viewer, input)
      return { backupId, action: await answer(action) }
    },
    restore: (viewer, ref) => restore(context, viewer, ref),
    createVm: (viewer, input) => createVmFromBackup(context, viewer, input),
    verify: async (viewer, ref) =>
      answer(
        await onBackup(context, viewer, ref, {
          command: 'verify_backup',
          summary: (name) => `Verified ${name}`,
          request: (backupUid) => ({ kind: 'verify_backup', backupUid }),
          check: requireReadyBackup,
        }),
      ),
    async delete(viewer, ref) {
      const action = await deleteBackup(context, viewer, ref)
      return action && answer(action)
    },
    cancel: (viewer, id) => cancel(context, viewer, id),
    setTarget: (viewer, input) => setTarget(context, viewer, input),
    setPlan: (viewer, input) => setPlan(context, viewer, input),
    setIncluded: (viewer, input) => setIncluded(context, viewer, input),
  }
}
