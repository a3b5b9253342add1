/** Actions: recorded before anything is asked of a host, finished by what the host reports. */
import { createHash } from 'node:crypto'
import {
  type ActionCommand,
  type ActionReport,
  actionCommandSchema,
  actionStatusSchema,
} from '@hearth/shared/action'
import { creationPhaseOf } from '@hearth/shared/creation'
import { type ErrorReport, errorCodeSchema, HearthError } from '@hearth/shared/errors'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import { z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { Database, Queries } from '../db/client.ts'
import type { Action, ActionResource, Vm } from '../generated/client.ts'
import type { ActionView } from '../views/action.ts'
import { actorSchema } from '../views/common.ts'
import { standingOf } from './access.ts'
import { actorOf, record } from './activity.ts'
import { settleBackup } from './backup-rows.ts'
import type { AgentRequest, ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { settleImage } from './image-settle.ts'
import { followPorts } from './public-ports.ts'
import { recount } from './quota.ts'
import { deleteSnapshotsOf, settleSnapshot } from './snapshot-rows.ts'
import type { PortalServices } from './types.ts'
import { settleCharge } from './vm-charge.ts'
import { writeSpec } from './vm-settings.ts'
import { settleVolume } from './volume-rows.ts'

export type ActionRow = Action & { resources: ActionResource[] }
type Names = Map<number, { name: string; uid?: string }>

const stepsSchema = z.array(z.object({ at: z.string(), step: z.string() }))

/** What an action is called in the activity. */
const activityKind = {
  create_vm: 'vm.create',
  delete_vm: 'vm.delete',
  start_vm: 'vm.start',
  shutdown_vm: 'vm.shutdown',
  reboot_vm: 'vm.reboot',
  poweroff_vm: 'vm.poweroff',
  reset_vm: 'vm.reset',
  suspend_vm: 'vm.suspend',
  update_vm: 'vm.update',
  rebuild_vm: 'vm.rebuild',
  protect_vm: 'vm.protect',
  snapshot_vm: 'vm.snapshot',
  restore_vm: 'vm.restore',
  delete_snapshot: 'vm.snapshot_delete',
  backup_vm: 'vm.backup',
  restore_backup: 'vm.backup_restore',
  verify_backup: 'vm.backup_verify',
  delete_backup: 'vm.backup_delete',
  create_volume: 'volume.create',
  attach_volume: 'volume.attach',
  detach_volume: 'volume.detach',
  resize_volume: 'volume.resize',
  delete_volume: 'volume.delete',
  build_image: 'image.build',
  download_image: 'image.download',
  import_image: 'image.import',
  create_image: 'image.create',
  protect_image: 'image.update',
  delete_image: 'image.delete',
} as const satisfies Record<ActionCommand, string>

export interface NewAction {
  command: ActionCommand
  /** null: Hearth itself, by a schedule. */
  viewer: Viewer | null
  projectId: number
  hostId: number
  vmId?: number
  imageId?: number
  snapshotId?: number
  volumeId?: number
  backupId?: number
  /** What the host is asked; null for what is done with the writing of it. */
  request: AgentRequest | null
  summary: string
  step: string
  idempotency?: Idempotency
}

export interface Idempotency {
  key: string
  /** `requestHash` of what is asked for under that key. */
  hash: string
}

export function requestHash(request: object): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex')
}

/** The action that was begun under this key before, if any; the key with another request is refused. */
export async function findRepeated(
  queries: Queries,
  viewer: Viewer,
  idempotency: Idempotency | undefined,
): Promise<ActionRow | null> {
  if (!idempotency) return null
  const found = await queries.action.findFirst({
    where: { actorUserId: viewer.userId, idempotencyKey: idempotency.key },
    include: { resources: true },
  })
  if (found && found.requestHash !== idempotency.hash)
    throw new HearthError('conflict', 'That idempotency key was used for another request. Use a new one.')
  return found
}

/** Records the action with its activity; call it inside the transaction that makes the change it carries out. */
export async function beginAction(queries: Queries, begin: NewAction): Promise<ActionRow> {
  const actor = actorOf(begin.viewer)
  const resources = [
    ...(begin.vmId ? [{ resourceType: 'vm', resourceId: begin.vmId }] : []),
    ...(begin.imageId ? [{ resourceType: 'image', resourceId: begin.imageId }] : []),
    ...(begin.volumeId ? [{ resourceType: 'volume', resourceId: begin.volumeId }] : []),
    ...(begin.backupId ? [{ resourceType: 'backup', resourceId: begin.backupId }] : []),
    ...(begin.snapshotId ? [{ resourceType: 'snapshot', resourceId: begin.snapshotId }] : []),
  ]
  const action = await queries.action.create({
    data: {
      projectId: begin.projectId,
      hostId: begin.hostId,
      command: begin.command,
      ...(begin.request === null
        ? { status: 'success', progress: 100, finishedAt: new Date() }
        : { status: 'running', request: JSON.stringify(begin.request) }),
      step: begin.step,
      steps: JSON.stringify([{ at: new Date().toISOString(), step: begin.step }]),
      idempotencyKey: begin.idempotency?.key ?? null,
      requestHash: begin.idempotency?.hash ?? null,
      ...actor,
      resources: { create: resources },
    },
    include: { resources: true },
  })
  await record(queries, {
    kind: activityKind[begin.command],
    summary: begin.summary,
    actor,
    from: begin.viewer?.from ?? null,
    projectId: begin.projectId,
    actionId: action.id,
    ...(begin.vmId ? { vmId: begin.vmId } : {}),
  })
  return action
}

/** Ends an action here, for what its host could not tell. Does nothing when it has ended already. */
export function failAction(db: Database, actionId: number, error: ErrorReport): Promise<boolean> {
  return db.$transaction((tx) =>
    finish(tx, actionId, { status: 'error', error, finishedAt: new Date(), progress: undefined }),
  )
}

/** Applies what a host reports of an action. Returns whether anything changed. */
export function applyReport(db: Database, report: ActionReport): Promise<boolean> {
  return db.$transaction(async (tx) => {
    const action = await tx.action.findUnique({ where: { id: report.actionId } })
    if (action?.status !== 'running') return false
    const last = action.step
    const steps = stepsSchema.catch([]).parse(JSON.parse(action.steps))
    if (report.step !== '' && report.step !== last)
      steps.push({ at: new Date().toISOString(), step: report.step })
    await tx.action.update({
      where: { id: action.id },
      data: {
        progress: report.progress,
        step: report.step === '' ? last : report.step,
        steps: JSON.stringify(steps.slice(-50)),
        // The host has it: nothing needs to be sent again.
        request: null,
        sentAt: action.sentAt ?? new Date(),
      },
    })
    if (report.status === 'running') return true
    return finish(tx, action.id, {
      status: report.status,
      error: report.error,
      finishedAt: report.finishedAt ? new Date(report.finishedAt) : new Date(),
      progress: report.status === 'success' ? 100 : undefined,
    })
  })
}

async function finish(
  tx: Queries,
  actionId: number,
  end: {
    status: 'success' | 'error'
    error: ErrorReport | null
    finishedAt: Date
    progress: number | undefined
  },
): Promise<boolean> {
  const changed = await tx.action.updateMany({
    where: { id: actionId, status: 'running' },
    data: {
      status: end.status,
      errorCode: end.error?.code ?? null,
      errorMessage: end.error?.message ?? null,
      finishedAt: end.finishedAt,
      request: null,
      ...(end.progress === undefined ? {} : { progress: end.progress }),
    },
  })
  if (changed.count === 0) return false
  const action = await tx.action.findUniqueOrThrow({ where: { id: actionId }, include: { resources: true } })
  await tx.vm.updateMany({ where: { heldByActionId: actionId }, data: { heldByActionId: null } })
  const vmId = action.resources.find(({ resourceType }) => resourceType === 'vm')?.resourceId
  if (vmId !== undefined) {
    await settleVm(tx, vmId, action)
    await settleCharge(tx, vmId)
    await settleSnapshot(tx, action)
  }
  const imageId = action.resources.find(({ resourceType }) => resourceType === 'image')?.resourceId
  if (imageId !== undefined) await settleImage(tx, imageId, action)
  await settleVolume(tx, action)
  await settleBackup(tx, action)
  // What was taken away, or came to nothing, is counted no longer.
  await recount(tx, action.projectId)
  return true
}

/** What the end of an action means for what should be. */
async function settleVm(tx: Queries, vmId: number, action: Action): Promise<void> {
  const vm = await tx.vm.findUniqueOrThrow({ where: { id: vmId } })
  const succeeded = action.status === 'success'
  if (action.command === 'create_vm' && action.errorCode === 'cancelled') {
    // Nobody wants it, and its host has nothing of it.
    await markDeleted(tx, vm, action.finishedAt ?? new Date())
    return
  }
  if (action.command === 'delete_vm') {
    if (succeeded) await markDeleted(tx, vm, action.finishedAt ?? new Date())
    else if (vm.desiredState === 'deleted') {
      // It is still there; whether it runs is what its host says.
      const desiredState = vm.observedState === 'running' ? 'running' : 'stopped'
      await tx.vm.update({ where: { id: vmId }, data: { desiredState } })
    }
    return
  }
  if (specCommands.includes(action.command)) {
    // Rebuilt, and only not started: the host has the new one.
    const rebuilt = action.command === 'rebuild_vm' && vm.observedGeneration === vm.generation
    await settleSpec(tx, vm, succeeded || rebuilt)
    if (rebuilt && !succeeded) await tx.vm.update({ where: { id: vmId }, data: { desiredState: 'stopped' } })
    return
  }
  if (succeeded || vm.desiredState === 'deleted') return
  // A wish that came to nothing is not kept: otherwise the page would show a difference nobody works on.
  if (action.command === 'start_vm' || action.command === 'create_vm')
    await tx.vm.update({ where: { id: vmId }, data: { desiredState: 'stopped' } })
  else if (['shutdown_vm', 'poweroff_vm', 'suspend_vm'].includes(action.command)) {
    if (vm.observedState === 'running')
      await tx.vm.update({ where: { id: vmId }, data: { desiredState: 'running' } })
  } else if (action.command === 'reboot_vm' && ['stopped', 'crashed'].includes(vm.observedState ?? ''))
    await tx.vm.update({ where: { id: vmId }, data: { desiredState: 'stopped' } })
}

/** Its host has nothing of it any more. The row stays, for its activity; what its guest was told in confidence does not. */
export async function markDeleted(tx: Queries, vm: Vm, deletedAt: Date): Promise<void> {
  const { cloudInit: _, ...spec } = parseVmSpec(JSON.parse(vm.spec))
  await tx.vm.update({
    where: { id: vm.id },
    data: { deletedAt, desiredState: 'deleted', observedState: null, spec: JSON.stringify(spec) },
  })
  await tx.disk.updateMany({ where: { vmId: vm.id, deletedAt: null }, data: { deletedAt } })
  await deleteSnapshotsOf(tx, vm.id, deletedAt)
  // Made with it, out of a backup, and never there.
  await tx.volume.updateMany({ where: { vmId: vm.id, status: 'creating' }, data: { deletedAt } })
  await tx.volume.updateMany({ where: { vmId: vm.id }, data: { vmId: null } })
  await followPorts(tx, vm, [])
}

/** What sends the host a new specification of a VM. */
const specCommands = ['update_vm', 'rebuild_vm', 'create_volume', 'attach_volume', 'detach_volume']

/** The host took the new specification, or kept what it had; then so do we, under a generation of its own. */
async function settleSpec(tx: Queries, vm: Vm, succeeded: boolean): Promise<void> {
  const { previousSpec } = vm
  if (previousSpec === null) return
  if (succeeded) {
    const spec = parseVmSpec(JSON.parse(vm.spec))
    const image = await tx.image.findUnique({ where: { uid: spec.image } })
    await tx.vm.update({
      where: { id: vm.id },
      data: {
        previousSpec: null,
        imageId: image?.id ?? vm.imageId,
        loginUser: spec.cloudInit?.user ?? null,
      },
    })
    await followPorts(tx, vm, [spec])
    return
  }
  const before = parseVmSpec(JSON.parse(previousSpec))
  const taken = await tx.vm.count({
    where: { projectId: vm.projectId, name: before.name, deletedAt: null, id: { not: vm.id } },
  })
  // Somebody may have taken the old name meanwhile; then the new one stays here and goes to the host next time.
  const name = taken === 0 ? before.name : vm.name
  await writeSpec(tx, vm.id, { ...before, name, generation: vm.generation + 1 }, null)
}

export async function actionViews(queries: Queries, rows: readonly ActionRow[]): Promise<ActionView[]> {
  const idsOf = (type: string) => [
    ...new Set(
      rows.flatMap(({ resources }) =>
        resources.flatMap((resource) => (resource.resourceType === type ? [resource.resourceId] : [])),
      ),
    ),
  ]
  const vms = await queries.vm.findMany({
    where: { id: { in: idsOf('vm') } },
    select: { id: true, name: true },
  })
  const images = await queries.image.findMany({
    where: { id: { in: idsOf('image') } },
    select: { id: true, name: true, uid: true },
  })
  const names: { vm: Names; image: Names } = {
    vm: new Map(vms.map((vm) => [vm.id, vm])),
    image: new Map(images.map((image) => [image.id, image])),
  }
  return rows.map((row) => toView(row, names))
}

function toView(row: ActionRow, names: { vm: Names; image: Names }): ActionView {
  const resource = (type: string) =>
    row.resources.find(({ resourceType }) => resourceType === type)?.resourceId
  const vmId = resource('vm')
  const imageId = resource('image')
  const image = imageId === undefined ? undefined : names.image.get(imageId)
  const waiting = row.status === 'running' && row.sentAt === null && row.command === 'delete_vm'
  return {
    id: row.id,
    command: actionCommandSchema.parse(row.command),
    status: actionStatusSchema.parse(row.status),
    progress: row.progress,
    step: row.step,
    steps: stepsSchema
      .catch([])
      .parse(JSON.parse(row.steps))
      .map(({ at, step }) => ({ at, step, phase: creationPhaseOf(step) })),
    cancelled: row.cancelledAt !== null,
    queued: waiting,
    error:
      row.status === 'error'
        ? {
            code: errorCodeSchema.catch('internal').parse(row.errorCode),
            message: row.errorMessage ?? 'It failed.',
          }
        : null,
    startedAt: row.startedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    vm: vmId === undefined ? null : { id: vmId, name: names.vm.get(vmId)?.name ?? '' },
    image: image ? { uid: image.uid ?? '', name: image.name } : null,
    actor: actorSchema.parse({ kind: row.actorKind, name: row.actorName }),
  }
}

export function actionsService({ db, changes }: ServiceContext): PortalServices['actions'] {
  const list: PortalServices['actions']['list'] = async (viewer, { vmId, limit }) => {
    const { visible } = await standingOf(db, viewer)
    const rows = await db.action.findMany({
      where: {
        ...visible,
        ...(vmId ? { resources: { some: { resourceType: 'vm', resourceId: vmId } } } : {}),
      },
      orderBy: { id: 'desc' },
      take: limit,
      include: { resources: true },
    })
    return actionViews(db, rows)
  }
  return {
    list,
    async page(viewer, { vmId, ids, status, orderBy, offset, limit }) {
      const { visible } = await standingOf(db, viewer)
      const where = {
        ...visible,
        ...(vmId ? { resources: { some: { resourceType: 'vm', resourceId: vmId } } } : {}),
        ...(ids ? { id: { in: ids } } : {}),
        ...(status ? { status: { in: status } } : {}),
      }
      const columns = { started: 'startedAt', finished: 'finishedAt' } as const
      const total = await db.action.count({ where })
      const rows = await db.action.findMany({
        where,
        orderBy: orderBy.map(({ field, descending }) => ({
          [field === 'started' || field === 'finished' ? columns[field] : field]: descending ? 'desc' : 'asc',
        })),
        skip: offset,
        take: limit,
        include: { resources: true },
      })
      return { items: await actionViews(db, rows), total }
    },
    async get(id) {
      const row = await db.action.findUnique({ where: { id }, include: { resources: true } })
      if (!row) throw notFound('action')
      const [view] = await actionViews(db, [row])
      return view!
    },
    watch: (viewer, filter, signal) =>
      changes.watch(['actions', 'vms', 'people'], () => list(viewer, filter), signal),
  }
}
