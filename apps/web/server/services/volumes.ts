/** Volumes: disks of their own, attached to VMs that are off. */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import { formatBytes } from '@hearth/shared/units'
import { parseVmSpec, type VmSpec } from '@hearth/shared/vm-spec'
import {
  type AttachedVolume,
  type VolumeFormat,
  volumeFormatSchema,
  volumeLimits,
} from '@hearth/shared/volume'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { Project, Volume } from '../generated/client.ts'
import type { ActionView } from '../views/action.ts'
import { type Ability, can, cannot } from '../views/common.ts'
import type { VolumeView } from '../views/volume.ts'
import { mayChange, type Standing, standingOf } from './access.ts'
import { type ActionRow, actionViews, beginAction, findRepeated, requestHash } from './actions.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { isUniqueViolation, notFound } from './errors.ts'
import { reserve } from './quota.ts'
import type { PortalServices } from './types.ts'
import { change, refusedOr } from './vm-change.ts'
import { ability } from './vm-rules.ts'
import { writeSpec } from './vm-settings.ts'
import { conditionOf, type VmRow, vmInclude } from './vms.ts'
import { notReady, requireReady, serialOf, volumeStatusSchema } from './volume-rows.ts'

type VolumeRow = Volume & { vm: VmRow | null; project: Project }
const include = { project: true, vm: { include: vmInclude } } as const
function toView(context: ServiceContext, row: VolumeRow, standing?: Standing): VolumeView {
  const status = volumeStatusSchema.parse(row.status)
  const why = notReady[status]
  const may = standing ? mayChange(standing, row.projectId) : can
  const away: Ability = context.hosts.isOnline(row.hostId) ? can : cannot('Its host is away.')
  const ofVm = row.vm ? ability('resize', conditionOf(context, row.vm)) : away
  const able = (...conditions: Ability[]) =>
    [may, why === null ? can : cannot(why), ...conditions].find(({ ok }) => !ok) ?? can
  return {
    id: row.id,
    name: row.name,
    bytes: Number(row.bytes),
    usedBytes: row.usedBytes === null ? null : Number(row.usedBytes),
    format: volumeFormatSchema.parse(row.format),
    status,
    vm: row.vm && { id: row.vm.id, name: row.vm.name },
    project: { id: row.project.id, name: row.project.name },
    device: `/dev/disk/by-id/virtio-${serialOf(row.id)}`,
    createdAt: row.createdAt.toISOString(),
    can: {
      attach: able(row.vm ? cannot(`${row.vm.name} has it.`) : away),
      detach: able(row.vm ? ofVm : cannot('No VM has it.')),
      resize: able(ofVm),
      delete:
        status === 'missing' && !row.vm
          ? may
          : able(row.vm ? cannot(`${row.vm.name} has it. Detach it first.`) : away),
    },
  }
}

async function findVolume(queries: Queries, id: number): Promise<VolumeRow> {
  const row = await queries.volume.findFirst({ where: { id, deletedAt: null }, include })
  if (!row) throw notFound('volume')
  return row
}

/** The VM's specification with other volumes, one generation later, written with its action. */
async function respecify(tx: Queries, vm: VmRow, volumes: AttachedVolume[]): Promise<VmSpec> {
  const before = parseVmSpec(JSON.parse(vm.spec))
  const spec = parseVmSpec({ ...before, volumes, generation: vm.generation + 1 })
  await writeSpec(tx, vm.id, spec, vm.spec)
  return spec
}

const volumesOf = (vm: VmRow): AttachedVolume[] => parseVmSpec(JSON.parse(vm.spec)).volumes ?? []

function requirePlace(vm: VmRow): void {
  if (volumesOf(vm).length >= volumeLimits.perVm)
    throw new HearthError('invalid_input', `A VM has at most ${volumeLimits.perVm} disks beside its own.`)
}

interface NewVolume {
  name: string
  bytes: number
  format: VolumeFormat
}

async function insert(
  tx: Queries,
  place: { projectId: number; hostId: number },
  { name, bytes, format }: NewVolume,
): Promise<Volume> {
  await reserve(tx, place.projectId, { disk: bytes })
  return tx.volume.create({
    data: { ...place, volumeUid: randomUUID(), name, bytes: BigInt(bytes), format, status: 'creating' },
  })
}

function nameTaken(error: unknown, name: string): unknown {
  if (!isUniqueViolation(error, 'name')) return error
  return new HearthError('uniqueness_error', `There is a volume named ${name} already. Choose another name.`)
}

/** Made and attached as one thing, to a VM that is off. */
async function createFor(
  context: ServiceContext,
  viewer: Viewer,
  input: NewVolume & { vmId: number; idempotencyKey?: string | undefined },
): Promise<ActionRow> {
  const { vmId, idempotencyKey, ...wanted } = input
  try {
    return await change(context, viewer, {
      what: 'resize',
      command: 'create_volume',
      id: vmId,
      idempotencyKey,
      asked: wanted,
      plan: async (vm, tx) => {
        requirePlace(vm)
        const volume = await insert(tx, { projectId: vm.projectId, hostId: vm.hostId }, wanted)
        const { volumeUid } = volume
        const attach = await respecify(tx, vm, [...volumesOf(vm), { volumeUid, serial: serialOf(volume.id) }])
        return {
          request: { kind: 'create_volume', volumeUid, bytes: wanted.bytes, format: wanted.format, attach },
          summary: `Gave ${vm.name} the new disk ${wanted.name} of ${formatBytes(wanted.bytes, 'en')}`,
          volumeId: volume.id,
        }
      },
    })
  } catch (error) {
    throw nameTaken(error, wanted.name)
  }
}

/** An action about a volume that holds no VM. */
async function act(
  context: ServiceContext,
  viewer: Viewer,
  wanted: {
    command: 'create_volume' | 'resize_volume' | 'delete_volume'
    asked: object
    idempotencyKey: string | undefined
    plan: (
      tx: Queries,
    ) => Promise<{ volume: Volume; request: Parameters<typeof beginAction>[1]['request']; summary: string }>
  },
): Promise<ActionRow> {
  const { db, hosts, changes } = context
  const { command, asked, idempotencyKey } = wanted
  const idempotency =
    idempotencyKey === undefined
      ? undefined
      : { key: idempotencyKey, hash: requestHash({ [command]: asked }) }
  const { action, isNew } = await db.$transaction(async (tx) => {
    const repeated = await findRepeated(tx, viewer, idempotency)
    if (repeated) return { action: repeated, isNew: false }
    const { volume, request, summary } = await wanted.plan(tx)
    const begun = await beginAction(tx, {
      command,
      viewer,
      projectId: volume.projectId,
      hostId: volume.hostId,
      volumeId: volume.id,
      request,
      summary,
      step: hosts.isOnline(volume.hostId) ? 'Asking the host' : 'Waiting for the host to come back',
      ...(idempotency ? { idempotency } : {}),
    })
    return { action: begun, isNew: true }
  })
  if (!isNew) return action
  changes.publish('volumes', 'actions')
  await hosts.dispatch(action.id)
  return action
}

async function answer(context: ServiceContext, action: ActionRow): Promise<ActionView> {
  const row = await context.db.action.findUniqueOrThrow({
    where: { id: action.id },
    include: { resources: true },
  })
  const [view] = await actionViews(context.db, [row])
  // Accepted actions have been under way at the host; only one that never was is refused to the caller's face.
  if (view!.error && view!.progress === 0) throw new HearthError(view!.error.code, view!.error.message)
  return view!
}

function volumeIdOf(action: ActionRow): number {
  const resource = action.resources.find(({ resourceType }) => resourceType === 'volume')
  if (!resource) throw new Error(`action ${action.id} has no volume`)
  return resource.resourceId
}

export function volumesService(context: ServiceContext): PortalServices['volumes'] {
  const { db, changes, hosts } = context
  const list: PortalServices['volumes']['list'] = async (viewer) => {
    const standing = await standingOf(db, viewer)
    const rows = await db.volume.findMany({
      where: { deletedAt: null, ...standing.visible },
      orderBy: { id: 'asc' },
      include,
    })
    return rows.map((row) => toView(context, row, standing))
  }
  const get = async (viewer: Viewer, id: number) =>
    toView(context, await findVolume(db, id), await standingOf(db, viewer))
  const moved = async (viewer: Viewer, action: ActionRow) => {
    changes.publish('volumes')
    const { action: view } = await refusedOr(context, action)
    return { volume: await get(viewer, volumeIdOf(action)), action: view }
  }
  return {
    list,
    get,
    watch: (viewer, signal) =>
      changes.watch(['volumes', 'vms', 'actions', 'hosts', 'people'], () => list(viewer), signal),
    createFor: async (viewer, input) => moved(viewer, await createFor(context, viewer, input)),
    async create(viewer, projectId, { idempotencyKey, ...wanted }) {
      const host = await db.host.findFirst({ orderBy: { id: 'asc' } })
      if (!host || !hosts.isOnline(host.id))
        throw new HearthError('host_unavailable', 'The host is away. Try again when it is back.')
      try {
        const action = await act(context, viewer, {
          command: 'create_volume',
          asked: { projectId, ...wanted },
          idempotencyKey,
          plan: async (tx) => {
            const volume = await insert(tx, { projectId, hostId: host.id }, wanted)
            const { bytes, format, name } = wanted
            return {
              volume,
              request: { kind: 'create_volume', volumeUid: volume.volumeUid, bytes, format },
              summary: `Made the volume ${name} of ${formatBytes(bytes, 'en')}`,
            }
          },
        })
        const view = await answer(context, action)
        return { volume: await get(viewer, volumeIdOf(action)), action: view }
      } catch (error) {
        throw nameTaken(error, wanted.name)
      }
    },
    async attach(viewer, { id, vm: vmId, idempotencyKey }) {
      const action = await change(context, viewer, {
        what: 'resize',
        command: 'attach_volume',
        id: vmId,
        idempotencyKey,
        asked: { volume: id },
        plan: async (vm, tx) => {
          const volume = await findVolume(tx, id)
          // Who may change the volume may change its project, and nothing outside it.
          if (vm.projectId !== volume.projectId || vm.hostId !== volume.hostId) throw notFound('VM')
          requireReady(volume)
          if (volume.vm)
            throw new HearthError('conflict', `${volume.vm.name} has ${volume.name}. Detach it first.`)
          requirePlace(vm)
          const { volumeUid } = volume
          const spec = await respecify(tx, vm, [...volumesOf(vm), { volumeUid, serial: serialOf(id) }])
          return {
            request: { kind: 'update', spec },
            summary: `Attached the volume ${volume.name} to ${vm.name}`,
            volumeId: id,
          }
        },
      })
      return moved(viewer, action)
    },
    async detach(viewer, { id, idempotencyKey }) {
      const { vm: holder, name } = await findVolume(db, id)
      if (!holder) throw new HearthError('invalid_state', `No VM has ${name}.`)
      const action = await change(context, viewer, {
        what: 'resize',
        command: 'detach_volume',
        id: holder.id,
        idempotencyKey,
        asked: { volume: id },
        plan: async (vm, tx) => {
          const volume = await findVolume(tx, id)
          const rest = volumesOf(vm).filter(({ volumeUid }) => volumeUid !== volume.volumeUid)
          const spec = await respecify(tx, vm, rest)
          return {
            request: { kind: 'update', spec },
            summary: `Detached the volume ${volume.name} from ${vm.name}`,
            volumeId: id,
          }
        },
      })
      return moved(viewer, action)
    },
    async resize(viewer, { id, bytes, idempotencyKey }) {
      const action = await act(context, viewer, {
        command: 'resize_volume',
        asked: { id, bytes },
        idempotencyKey,
        plan: async (tx) => {
          const volume = await findVolume(tx, id)
          const { can } = toView(context, volume)
          if (!can.resize.ok) throw new HearthError('invalid_state', `${volume.name}: ${can.resize.why}`)
          if (volume.previousBytes !== null)
            throw new HearthError('locked', `${volume.name} is growing already.`)
          const before = Number(volume.bytes)
          if (bytes <= before)
            throw new HearthError(
              'invalid_input',
              `A disk can grow, but not shrink: it has ${formatBytes(before)} already.`,
            )
          await reserve(tx, volume.projectId, { disk: bytes - before })
          await tx.volume.update({
            where: { id },
            data: { bytes: BigInt(bytes), previousBytes: volume.bytes },
          })
          return {
            volume,
            request: { kind: 'grow_volume', volumeUid: volume.volumeUid, bytes },
            summary: `The volume ${volume.name} grew to ${formatBytes(bytes, 'en')}`,
          }
        },
      })
      const view = await answer(context, action)
      return { volume: await get(viewer, id), action: view }
    },
    async rename(viewer, { id, name }) {
      try {
        await db.$transaction(async (tx) => {
          const volume = await findVolume(tx, id)
          if (volume.name === name) return
          await tx.volume.update({ where: { id }, data: { name } })
          await record(tx, {
            kind: 'volume.rename',
            summary: `Renamed the volume ${volume.name} to ${name}`,
            actor: actorOf(viewer),
            from: viewer.from,
            projectId: volume.projectId,
            ...(volume.vmId === null ? {} : { vmId: volume.vmId }),
          })
        })
      } catch (error) {
        throw nameTaken(error, name)
      }
      changes.publish('volumes')
      return get(viewer, id)
    },
    async delete(viewer, { id, idempotencyKey }) {
      const action = await act(context, viewer, {
        command: 'delete_volume',
        asked: { id },
        idempotencyKey,
        plan: async (tx) => {
          const volume = await findVolume(tx, id)
          const { can } = toView(context, volume)
          if (!can.delete.ok) throw new HearthError('invalid_state', `${volume.name}: ${can.delete.why}`)
          await tx.volume.update({ where: { id }, data: { status: 'deleting' } })
          return {
            volume,
            request: { kind: 'delete_volume', volumeUid: volume.volumeUid },
            summary: `Deleted the volume ${volume.name}`,
          }
        },
      })
      return answer(context, action)
    },
  }
}
