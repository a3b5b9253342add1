/** VMs as the portal shows them: reading only. Changes are in vm-create.ts and vm-change.ts. */

import { actionCommandSchema } from '@hearth/shared/action'
import { type VmState, vmStateSchema } from '@hearth/shared/agent-protocol'
import { openFirewall } from '@hearth/shared/network'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import { z } from 'zod'
import { proposeName } from '../../src/lib/propose-name.ts'
import type { Queries } from '../db/client.ts'
import type { Host, Image, Project, Vm } from '../generated/client.ts'
import type { ActionView } from '../views/action.ts'
import { can } from '../views/common.ts'
import type { VmView } from '../views/vm.ts'
import { mayChange, mayOwn, type Standing, standingOf } from './access.ts'
import { type ActionRow, actionViews } from './actions.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { labelsOf } from './labels.ts'
import type { PortalServices } from './types.ts'
import { cancelCreation } from './vm-cancel.ts'
import { deleteVm, powerVm } from './vm-change.ts'
import { createVm } from './vm-create.ts'
import { rebuildVm } from './vm-rebuild.ts'
import { ability, type VmAbility, type VmCondition } from './vm-rules.ts'
import { protectVm, updateVm } from './vm-settings.ts'

export type VmRow = Vm & { project: Project; host: Host; image: Image; heldByAction: ActionRow | null }

export const vmInclude = {
  project: true,
  host: true,
  image: true,
  heldByAction: { include: { resources: true } },
} as const

function observedState(vm: Vm): VmState | null {
  return vm.observedState === null ? null : vmStateSchema.parse(vm.observedState)
}

export function conditionOf(context: ServiceContext, vm: VmRow): VmCondition & { name: string } {
  return {
    name: vm.name,
    state: observedState(vm),
    hostOnline: context.hosts.isOnline(vm.hostId),
    heldBy: vm.heldByAction ? actionCommandSchema.parse(vm.heldByAction.command) : null,
    cancelled: vm.heldByAction !== null && vm.heldByAction.cancelledAt !== null,
    deleted: vm.deletedAt !== null,
    protected: vm.deleteProtected,
    display: vm.observedDisplay || parseVmSpec(JSON.parse(vm.spec)).display !== undefined,
    hasDisk: vm.diskBytes !== null,
  }
}

function stateReason(vm: VmRow, { state, hostOnline, heldBy }: VmCondition): string | null {
  if (!hostOnline) {
    if (vm.desiredState === 'deleted') return 'It is deleted when its host is back.'
    return state ? `Its host is away. When last seen it was ${state}.` : 'Its host is away.'
  }
  if (heldBy !== null) return null
  if (state === null) return 'Its host does not have it.'
  if (vm.desiredState === 'running' && state === 'crashed') return 'It should run, but it crashed.'
  if (vm.desiredState === 'running' && state === 'stopped') return 'It should run, but it is stopped.'
  if (vm.desiredState === 'stopped' && state === 'running') return 'It should be stopped, but it runs.'
  return null
}

/** `standing` is the viewer's, who is shown what they may do; without one, what could be done at all. */
async function vmViews(
  context: ServiceContext,
  rows: readonly VmRow[],
  standing?: Standing,
): Promise<VmView[]> {
  const shown = await shownActions(context.db, rows)
  const ids = rows.map(({ id }) => id)
  const labels = await labelsOf(context.db, 'vm', ids)
  return rows.map((vm) => {
    const condition = conditionOf(context, vm)
    const spec = parseVmSpec(JSON.parse(vm.spec))
    const may = standing ? mayChange(standing, vm.projectId) : can
    const owns = standing ? mayOwn(standing, vm.projectId) : can
    const able = (what: VmAbility) => (may.ok ? ability(what, condition) : may)
    return {
      id: vm.id,
      vmUid: vm.vmUid,
      name: vm.name,
      project: { id: vm.projectId, name: vm.project.name },
      image: { uid: vm.image.uid, name: vm.image.name },
      cpus: vm.cpus,
      memoryBytes: Number(vm.memoryBytes),
      diskBytes: vm.diskBytes === null ? null : Number(vm.diskBytes),
      diskUsedBytes: vm.observedDiskUsed === null ? null : Number(vm.observedDiskUsed),
      mac: vm.mac,
      loginUser: vm.loginUser,
      startAtBoot: vm.startAtBoot,
      deleteProtected: vm.deleteProtected,
      labels: labels.get(vm.id) ?? {},
      display: spec.display ?? null,
      boot: spec.boot ?? null,
      bridge: spec.bridge ?? null,
      forwards: spec.forwards ?? [],
      firewall: spec.firewall ?? openFirewall,
      watchdog: spec.watchdog ?? null,
      folders: spec.folders ?? [],
      diskLimit: spec.diskLimit ?? null,
      netLimit: spec.netLimit ?? null,
      keepMemory: spec.keepMemory ?? false,
      hasScreen: vm.observedDisplay,
      desiredState: z.enum(['running', 'stopped', 'deleted']).parse(vm.desiredState),
      // A VM whose creation the host has accepted but not shown yet is being created, not unknown.
      state: condition.hostOnline
        ? (condition.state ?? (condition.heldBy === 'create_vm' ? 'creating' : 'unknown'))
        : 'unknown',
      stateReason: stateReason(vm, condition),
      lastState: condition.state,
      since: vm.observedSince?.toISOString() ?? null,
      observedAt: vm.observedAt?.toISOString() ?? null,
      exitReason: vm.observedExitReason,
      panicked: vm.observedPanicked,
      addresses: z.array(z.string()).catch([]).parse(JSON.parse(vm.observedAddresses)),
      host: { id: vm.hostId, name: vm.host.name, online: condition.hostOnline },
      action: shown.get(vm.id) ?? null,
      createdAt: vm.createdAt.toISOString(),
      can: {
        start: able('start'),
        shutdown: able('shutdown'),
        reboot: able('reboot'),
        poweroff: able('poweroff'),
        reset: able('reset'),
        suspend: able('suspend'),
        cancel: able('cancel'),
        update: able('update'),
        label: may,
        limit: owns.ok ? able('update') : owns,
        resize: able('resize'),
        snapshot: able('snapshot'),
        restore: able('restore'),
        rebuild: able('rebuild'),
        delete: able('delete'),
        console: able('console'),
        screen: ability('screen', condition),
      },
    }
  })
}

/** For each VM the action that holds it, else its last one if that failed. */
async function shownActions(queries: Queries, rows: readonly VmRow[]): Promise<Map<number, ActionView>> {
  const idle = rows.filter((vm) => vm.heldByAction === null).map(({ id }) => id)
  const newest = await queries.actionResource.groupBy({
    by: ['resourceId'],
    where: { resourceType: 'vm', resourceId: { in: idle } },
    _max: { actionId: true },
  })
  const lastIds = newest.flatMap(({ _max }) => (_max.actionId === null ? [] : [_max.actionId]))
  const failed = await queries.action.findMany({
    where: { id: { in: lastIds }, status: { in: ['error', 'running'] } },
    include: { resources: true },
  })
  const held = rows.flatMap((vm) => (vm.heldByAction ? [vm.heldByAction] : []))
  const views = await actionViews(queries, [...held, ...failed])
  return new Map(views.flatMap((view) => (view.vm ? [[view.vm.id, view] as const] : [])))
}

export async function findVm(queries: Queries, id: number): Promise<VmRow> {
  const vm = await queries.vm.findFirst({ where: { id, deletedAt: null }, include: vmInclude })
  if (!vm) throw notFound('VM')
  return vm
}

export async function vmView(context: ServiceContext, id: number): Promise<VmView> {
  // Deleted ones too: the answer to a deletion shows what was deleted.
  const vm = await context.db.vm.findUnique({ where: { id }, include: vmInclude })
  if (!vm) throw notFound('VM')
  const [view] = await vmViews(context, [vm])
  return view!
}

export function vmsService(context: ServiceContext): PortalServices['vms'] {
  const { db, changes } = context
  const list: PortalServices['vms']['list'] = async (viewer) => {
    const standing = await standingOf(db, viewer)
    const where = { deletedAt: null, ...standing.visible }
    const rows = await db.vm.findMany({ where, orderBy: { name: 'asc' }, include: vmInclude })
    return vmViews(context, rows, standing)
  }
  return {
    list,
    watch: (viewer, signal) =>
      changes.watch(['vms', 'actions', 'hosts', 'people'], () => list(viewer), signal),
    async get(viewer, id) {
      const [view] = await vmViews(context, [await findVm(db, id)], await standingOf(db, viewer))
      return view!
    },
    async proposeName(projectId) {
      const taken = await db.vm.findMany({ where: { projectId, deletedAt: null }, select: { name: true } })
      return proposeName(taken.map(({ name }) => name))
    },
    create: (viewer, projectId, input) => createVm(context, viewer, projectId, input),
    cancel: (viewer, id) => cancelCreation(context, viewer, id),
    power: (viewer, input) => powerVm(context, viewer, input),
    update: (viewer, input) => updateVm(context, viewer, input),
    protect: (viewer, input) => protectVm(context, viewer, input),
    rebuild: (viewer, input) => rebuildVm(context, viewer, input),
    delete: (viewer, input) => deleteVm(context, viewer, input),
  }
}
