/** Changes of a VM that exists: what all of them share, power and deletion. Settings are in vm-settings.ts. */
import type { ActionCommand } from '@hearth/shared/action'
import type { PowerOp } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { VmChange } from '../views/vm.ts'
import { type ActionRow, beginAction, findRepeated, requestHash } from './actions.ts'
import { actorOf, record } from './activity.ts'
import type { AgentRequest, ServiceContext } from './context.ts'
import { chargeStart } from './vm-charge.ts'
import { changeOf } from './vm-create.ts'
import { ensureAble, type VmAbility } from './vm-rules.ts'
import { conditionOf, findVm, type VmRow } from './vms.ts'

export interface Change {
  what: VmAbility
  command: ActionCommand
  id: number
  idempotencyKey: string | undefined
  /** What is asked for beyond the VM and the command: the same key with something else is refused. */
  asked?: object
  check?: (vm: VmRow) => void
  /** What is written with the action, and what the host is asked. */
  plan: (
    vm: VmRow,
    tx: Queries,
  ) => Promise<{
    request: AgentRequest
    summary: string
    desiredState?: 'running' | 'stopped' | 'deleted'
    snapshotId?: number
    imageId?: number
    volumeId?: number
    backupId?: number
  }>
}

export async function change(
  context: ServiceContext,
  viewer: Viewer | null,
  wanted: Change,
): Promise<ActionRow> {
  const { db, hosts, changes } = context
  const idempotency =
    wanted.idempotencyKey === undefined
      ? undefined
      : { key: wanted.idempotencyKey, hash: requestHash({ [wanted.command]: wanted.id, ...wanted.asked }) }
  const outcome = await db.$transaction(async (tx) => {
    const repeated = viewer && (await findRepeated(tx, viewer, idempotency))
    if (repeated) return { action: repeated, isNew: false }
    const vm = await findVm(tx, wanted.id)
    wanted.check?.(vm)
    ensureAble(wanted.what, conditionOf(context, vm))
    const { request, summary, desiredState, snapshotId, volumeId, imageId, backupId } = await wanted.plan(
      vm,
      tx,
    )
    const action = await beginAction(tx, {
      command: wanted.command,
      viewer,
      projectId: vm.projectId,
      hostId: vm.hostId,
      vmId: vm.id,
      ...(imageId === undefined ? {} : { imageId }),
      request,
      summary,
      step: hosts.isOnline(vm.hostId) ? 'Asking the host' : 'Waiting for the host to come back',
      ...(idempotency ? { idempotency } : {}),
      ...(snapshotId === undefined ? {} : { snapshotId }),
      ...(volumeId === undefined ? {} : { volumeId }),
      ...(backupId === undefined ? {} : { backupId }),
    })
    const held = await tx.vm.updateMany({
      where: { id: vm.id, heldByActionId: null },
      data: { heldByActionId: action.id },
    })
    if (held.count === 0 && wanted.what !== 'poweroff')
      throw new HearthError('locked', `${vm.name} is busy. Wait until that is done.`)
    if (desiredState) await tx.vm.update({ where: { id: vm.id }, data: { desiredState } })
    return { action, isNew: true }
  })
  changes.publish('vms', 'actions')
  if (outcome.isNew) await hosts.dispatch(outcome.action.id)
  return outcome.action
}

/** The host's refusal is the caller's answer; what was accepted is followed by its action. */
export async function refusedOr(context: ServiceContext, action: ActionRow): Promise<VmChange> {
  const result = await changeOf(context, action)
  const { error } = result.action
  // Accepted actions have been under way at the host; only one that never was is refused to the caller's face.
  if (error && result.action.progress === 0) throw new HearthError(error.code, error.message)
  return result
}

const commands = {
  start: 'start_vm',
  shutdown: 'shutdown_vm',
  reboot: 'reboot_vm',
  poweroff: 'poweroff_vm',
  reset: 'reset_vm',
  suspend: 'suspend_vm',
} as const satisfies Record<PowerOp, ActionCommand>

const powerSummary: Record<PowerOp, (name: string) => string> = {
  start: (name) => `Started ${name}`,
  shutdown: (name) => `Shut down ${name}`,
  reboot: (name) => `Restarted ${name}`,
  poweroff: (name) => `Powered off ${name}`,
  reset: (name) => `Reset ${name}`,
  suspend: (name) => `Suspended ${name}`,
}

const wantedState = {
  start: 'running',
  reset: 'running',
  reboot: 'running',
  shutdown: 'stopped',
  poweroff: 'stopped',
  suspend: 'stopped',
} as const satisfies Record<PowerOp, string>

export async function powerVm(
  context: ServiceContext,
  viewer: Viewer,
  { id, op, idempotencyKey }: { id: number; op: PowerOp; idempotencyKey?: string },
): Promise<VmChange> {
  const action = await change(context, viewer, {
    what: op,
    command: commands[op],
    id,
    idempotencyKey,
    plan: async (vm, tx) => {
      if (op === 'start') await chargeStart(tx, vm)
      return {
        request: { kind: 'power', vmUid: vm.vmUid, op },
        summary: powerSummary[op](vm.name),
        desiredState: wantedState[op],
      }
    },
  })
  return refusedOr(context, action)
}

export async function deleteVm(
  context: ServiceContext,
  viewer: Viewer,
  { id, confirmName, idempotencyKey }: { id: number; confirmName?: string; idempotencyKey?: string },
): Promise<VmChange> {
  const action = await change(context, viewer, {
    what: 'delete',
    command: 'delete_vm',
    id,
    idempotencyKey,
    check: (vm) => {
      if (confirmName !== undefined && confirmName !== vm.name)
        throw new HearthError('invalid_input', `Type the VM's name, ${vm.name}, to delete it.`)
    },
    plan: async (vm) => ({
      request: { kind: 'delete', vmUid: vm.vmUid },
      summary: `Deleted ${vm.name} and its disk`,
      desiredState: 'deleted',
    }),
  })
  return refusedOr(context, action)
}

export async function recordConsole(
  queries: Queries,
  viewer: Viewer,
  vm: VmRow,
  kind: 'serial' | 'display',
): Promise<void> {
  await record(queries, {
    kind: 'vm.console',
    summary: `Opened the ${kind === 'serial' ? 'console' : 'screen'} of ${vm.name}`,
    actor: actorOf(viewer),
    from: viewer.from,
    projectId: vm.projectId,
    vmId: vm.id,
  })
}
