/** Snapshots of a VM's disk: taken, gone back to, made into VMs, deleted. The schedule is in snapshot-schedule.ts. */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import { snapshotConsistencySchema } from '@hearth/shared/snapshot'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import { z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { Snapshot } from '../generated/client.ts'
import { type Ability, can, cannot } from '../views/common.ts'
import type { SnapshotsView, SnapshotView } from '../views/snapshot.ts'
import type { VmChange } from '../views/vm.ts'
import { mayChange, standingOf } from './access.ts'
import { type ActionRow, findRepeated, requestHash } from './actions.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { reserve } from './quota.ts'
import { scheduleView, setSchedule } from './snapshot-schedule.ts'
import type { PortalServices, SnapshotRef } from './types.ts'
import { change, refusedOr } from './vm-change.ts'
import { beginCreation, changeOf, insertVm, likeAnother } from './vm-create.ts'
import { ability } from './vm-rules.ts'
import { hostInfoOf, requireSize } from './vm-size.ts'
import { conditionOf, findVm, type VmRow } from './vms.ts'

const statusSchema = z.enum(['creating', 'ready', 'deleting', 'missing'])

const notReady: Record<SnapshotView['status'], string | null> = {
  creating: 'It is being taken.',
  deleting: 'It is being deleted.',
  missing: 'Its host does not have it any more.',
  ready: null,
}

function toView(context: ServiceContext, vm: VmRow, row: Snapshot, may: Ability): SnapshotView {
  const status = statusSchema.parse(row.status)
  const why = notReady[status]
  const condition = conditionOf(context, vm)
  const restore = ability('restore', condition)
  // Deleting one needs the same of the VM as changing a setting: its host, and nobody else at work on it.
  const change = ability('update', condition)
  const allowed = (able: Ability) => (may.ok ? able : may)
  const createVm: Ability = condition.hostOnline ? can : cannot('Its host is away.')
  return {
    id: row.id,
    name: row.name,
    status,
    scheduled: row.scheduled,
    consistency: snapshotConsistencySchema.nullable().parse(row.consistency),
    diskBytes: Number(row.diskBytes),
    storedBytes: row.consistency === null ? null : Number(row.storedBytes),
    createdAt: row.createdAt.toISOString(),
    can: {
      restore: allowed(why === null ? restore : cannot(why)),
      createVm: allowed(why === null ? createVm : cannot(why)),
      delete: allowed(status === 'ready' || status === 'missing' ? change : cannot(why ?? '')),
    },
  }
}

async function snapshotViews(context: ServiceContext, viewer: Viewer, vmId: number): Promise<SnapshotView[]> {
  const vm = await findVm(context.db, vmId)
  const may = mayChange(await standingOf(context.db, viewer), vm.projectId)
  const rows = await context.db.snapshot.findMany({
    where: { vmId, deletedAt: null },
    orderBy: { id: 'desc' },
  })
  return rows.map((row) => toView(context, vm, row, may))
}

async function findSnapshot(queries: Queries, id: number): Promise<Snapshot> {
  const row = await queries.snapshot.findFirst({ where: { id, deletedAt: null } })
  if (!row) throw notFound('snapshot')
  return row
}

function requireReady(row: Snapshot): void {
  const why = notReady[statusSchema.parse(row.status)]
  if (why !== null) throw new HearthError('invalid_state', `${row.name}: ${why}`)
}

/** `viewer` is null for what the schedule takes. */
export async function takeSnapshot(
  context: ServiceContext,
  viewer: Viewer | null,
  input: { vmId: number; name?: string | undefined; idempotencyKey?: string | undefined },
): Promise<{ snapshotId: number; action: ActionRow }> {
  const action = await change(context, viewer, {
    what: 'snapshot',
    command: 'snapshot_vm',
    id: input.vmId,
    idempotencyKey: input.idempotencyKey,
    asked: { name: input.name },
    plan: async (vm, tx) => {
      const spec = parseVmSpec(JSON.parse(vm.spec))
      const name = input.name ?? (await defaultName(tx))
      // What the disk holds now; counted anew when the host has told what the snapshot took.
      const storedBytes = vm.observedDiskUsed ?? BigInt(spec.diskBytes ?? 0)
      await reserve(tx, vm.projectId, { snapshots: Number(storedBytes) })
      const snapshot = await tx.snapshot.create({
        data: {
          snapshotUid: randomUUID(),
          projectId: vm.projectId,
          hostId: vm.hostId,
          vmId: vm.id,
          name,
          status: 'creating',
          scheduled: viewer === null,
          spec: vm.spec,
          diskBytes: BigInt(spec.diskBytes ?? 0),
          storedBytes,
        },
      })
      return {
        request: { kind: 'snapshot', vmUid: vm.vmUid, snapshotUid: snapshot.snapshotUid },
        summary: `Took the snapshot ${name} of ${vm.name}`,
        snapshotId: snapshot.id,
      }
    },
  })
  context.changes.publish('snapshots')
  const resource = action.resources.find(({ resourceType }) => resourceType === 'snapshot')
  if (!resource) throw new Error(`action ${action.id} has no snapshot`)
  return { snapshotId: resource.resourceId, action }
}

/** The moment on the home's clock: sorts by time, and says what people look for. */
async function defaultName(tx: Queries): Promise<string> {
  const home = await tx.home.findFirst({ select: { timezone: true } })
  const parts = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'short',
    timeZone: home?.timezone ?? 'UTC',
  })
  return parts.format(new Date())
}

async function restore(context: ServiceContext, viewer: Viewer, ref: SnapshotRef): Promise<VmChange> {
  const action = await change(context, viewer, {
    what: 'restore',
    command: 'restore_vm',
    id: (await findSnapshot(context.db, ref.id)).vmId,
    idempotencyKey: ref.idempotencyKey,
    asked: { snapshot: ref.id },
    plan: async (vm, tx) => {
      const row = await findSnapshot(tx, ref.id)
      requireReady(row)
      return {
        request: { kind: 'restore', vmUid: vm.vmUid, snapshotUid: row.snapshotUid },
        summary: `Took ${vm.name} back to the snapshot ${row.name}`,
        snapshotId: row.id,
      }
    },
  })
  return refusedOr(context, action)
}

export async function deleteSnapshot(
  context: ServiceContext,
  viewer: Viewer | null,
  ref: SnapshotRef,
): Promise<ActionRow> {
  const action = await change(context, viewer, {
    what: 'update',
    command: 'delete_snapshot',
    id: (await findSnapshot(context.db, ref.id)).vmId,
    idempotencyKey: ref.idempotencyKey,
    asked: { snapshot: ref.id },
    plan: async (vm, tx) => {
      const row = await findSnapshot(tx, ref.id)
      if (row.status !== 'missing') requireReady(row)
      await tx.snapshot.update({ where: { id: row.id }, data: { status: 'deleting' } })
      return {
        request: { kind: 'delete_snapshot', vmUid: vm.vmUid, snapshotUid: row.snapshotUid },
        summary: `Deleted the snapshot ${row.name} of ${vm.name}`,
        snapshotId: row.id,
      }
    },
  })
  context.changes.publish('snapshots')
  return action
}

/** A machine of its own: the disk and login of the snapshot, a new name, address and identity. */
async function createVm(
  context: ServiceContext,
  viewer: Viewer,
  input: SnapshotRef & { name: string; start: boolean },
): Promise<VmChange> {
  const { db, hosts } = context
  const { id, name, start } = input
  const key = input.idempotencyKey ?? randomUUID()
  const idempotency = { key, hash: requestHash({ createFrom: { id, name, start } }) }
  const repeated = await findRepeated(db, viewer, idempotency)
  if (repeated) return changeOf(context, repeated)
  const row = await findSnapshot(db, id)
  const vm = await findVm(db, row.vmId)
  requireReady(row)
  const info = hostInfoOf(vm.host, hosts.isOnline(vm.hostId))
  const spec = parseVmSpec(likeAnother(parseVmSpec(JSON.parse(row.spec)), name))
  requireSize({ ...spec, diskBytes: spec.diskBytes }, vm.image, info)
  return beginCreation(context, viewer, {
    ...{ name, idempotency },
    insert: (tx) =>
      insertVm(tx, {
        spec,
        input: { start },
        viewer,
        projectId: vm.projectId,
        hostId: vm.hostId,
        image: vm.image,
        idempotency,
        snapshot: { uid: row.snapshotUid, name: row.name },
      }),
  })
}

export function snapshotsService(context: ServiceContext): PortalServices['snapshots'] {
  const { db, changes } = context
  const list = async (viewer: Viewer, vmId: number): Promise<SnapshotsView> => ({
    snapshots: await snapshotViews(context, viewer, vmId),
    ...(await scheduleView(db, vmId)),
  })
  return {
    list,
    watch: (viewer, vmId, signal) =>
      changes.watch(['snapshots', 'vms', 'actions', 'hosts', 'people'], () => list(viewer, vmId), signal),
    async take(viewer, input) {
      const { snapshotId, action } = await takeSnapshot(context, viewer, input)
      return { snapshotId, change: await refusedOr(context, action) }
    },
    async rename(viewer, { id, name }) {
      await db.$transaction(async (tx) => {
        const row = await findSnapshot(tx, id)
        const vm = await findVm(tx, row.vmId)
        if (row.name === name) return
        await tx.snapshot.update({ where: { id }, data: { name } })
        await record(tx, {
          kind: 'vm.snapshot',
          summary: `Renamed the snapshot ${row.name} of ${vm.name} to ${name}`,
          actor: actorOf(viewer),
          from: viewer.from,
          projectId: vm.projectId,
          vmId: vm.id,
        })
      })
      changes.publish('snapshots')
    },
    restore: (viewer, ref) => restore(context, viewer, ref),
    delete: async (viewer, ref) => refusedOr(context, await deleteSnapshot(context, viewer, ref)),
    createVm: (viewer, input) => createVm(context, viewer, input),
    setSchedule: (viewer, input) => setSchedule(context, viewer, input),
  }
}
