/** What can be done with a VM in which state, and why not otherwise. Pure; the services refuse by the same answers. */
import type { ActionCommand } from '@hearth/shared/action'
import type { PowerOp, VmState } from '@hearth/shared/agent-protocol'
import { type ErrorCode, HearthError } from '@hearth/shared/errors'
import { type Ability, can, cannot } from '../views/common.ts'

export interface VmCondition {
  /** As last observed; null when its host has not shown it (yet). */
  state: VmState | null
  hostOnline: boolean
  heldBy: ActionCommand | null
  /** What holds it has been cancelled and ends soon. */
  cancelled: boolean
  deleted: boolean
  protected: boolean
  /** Whether it has a disk of its own, and so something to keep. */
  hasDisk: boolean
  /** It has a screen, or gets one at its next start. */
  display: boolean
}

/** `cancel`: ends its creation and takes back all of it. `update`: what may change while it runs; `resize`: what only changes while it is off. */
export type VmAbility =
  | PowerOp
  | 'cancel'
  | 'update'
  | 'resize'
  | 'snapshot'
  | 'restore'
  | 'rebuild'
  | 'delete'
  | 'console'
  | 'screen'

const opStates: Record<PowerOp, readonly VmState[]> = {
  start: ['stopped', 'suspended', 'crashed'],
  shutdown: ['running'],
  reboot: ['running'],
  reset: ['running', 'paused'],
  // A suspended one is thrown away: it is stopped then.
  poweroff: ['starting', 'running', 'paused', 'stopping', 'suspended'],
  suspend: ['running', 'paused'],
}

const stateWords: Record<VmState, string> = {
  creating: 'being created',
  starting: 'starting',
  running: 'running',
  paused: 'paused',
  stopping: 'shutting down',
  stopped: 'stopped',
  suspended: 'suspended',
  crashed: 'crashed',
}

const busyWords: Record<ActionCommand, string> = {
  create_vm: 'being created',
  delete_vm: 'being deleted',
  start_vm: 'starting',
  shutdown_vm: 'shutting down',
  reboot_vm: 'restarting',
  poweroff_vm: 'being powered off',
  reset_vm: 'being reset',
  suspend_vm: 'being suspended',
  update_vm: 'being changed',
  rebuild_vm: 'being rebuilt',
  protect_vm: 'being changed',
  snapshot_vm: 'having its snapshot taken',
  restore_vm: 'going back to a snapshot',
  delete_snapshot: 'losing a snapshot',
  backup_vm: 'being backed up',
  restore_backup: 'going back to a backup',
  verify_backup: 'busy',
  delete_backup: 'busy',
  create_volume: 'getting a disk',
  attach_volume: 'getting a disk',
  detach_volume: 'losing a disk',
  resize_volume: 'having a disk grow',
  delete_volume: 'losing a disk',
  build_image: 'busy',
  download_image: 'busy',
  import_image: 'busy',
  create_image: 'being copied to an image',
  protect_image: 'busy',
  delete_image: 'busy',
}

const hostAway = 'Its host is away.'

interface Refusal {
  code: ErrorCode
  why: string
}

function refusal(what: VmAbility, vm: VmCondition): Refusal | null {
  if (vm.deleted) return { code: 'not_found', why: 'It is deleted.' }
  if (what === 'console' || what === 'screen') {
    if (!vm.hostOnline) return { code: 'host_unavailable', why: hostAway }
    if (vm.state === null || vm.state === 'creating')
      return { code: 'invalid_state', why: 'It has no console yet.' }
    if (what === 'screen' && !vm.display) return { code: 'invalid_state', why: 'It has no screen.' }
    return null
  }
  if (what === 'cancel') {
    // Like deleting, a wish that is kept until the host is back.
    if (vm.heldBy !== 'create_vm') return { code: 'invalid_state', why: 'It is created already.' }
    return vm.cancelled ? { code: 'invalid_state', why: 'It is being cancelled.' } : null
  }
  // The one thing that works while another action holds the VM: a shutdown that hangs can be ended.
  const held = vm.heldBy !== null && !(what === 'poweroff' && vm.heldBy !== 'delete_vm')
  if (held && vm.heldBy) return { code: 'locked', why: `It is ${busyWords[vm.heldBy]}.` }
  // Both lose what its disk holds.
  if ((what === 'delete' || what === 'rebuild') && vm.protected)
    return { code: 'protected', why: 'It is protected from deletion. Switch that off in its settings first.' }
  // Deleting is a wish that is kept until the host is back.
  if (what === 'delete') return null
  if (!vm.hostOnline) return { code: 'host_unavailable', why: hostAway }
  if (what === 'update') return null
  if (vm.state === null) return { code: 'invalid_state', why: 'Its host does not have it.' }
  if (what === 'snapshot') {
    if (!vm.hasDisk)
      return {
        code: 'invalid_input',
        why: 'It has no disk: it runs from memory, so there is nothing to keep.',
      }
    if (vm.state === 'running' || vm.state === 'stopped' || vm.state === 'crashed') return null
    return { code: 'invalid_state', why: `It is ${stateWords[vm.state]}.` }
  }
  if (what === 'rebuild') {
    if (vm.state === 'running' || vm.state === 'stopped' || vm.state === 'crashed') return null
    return { code: 'invalid_state', why: `It is ${stateWords[vm.state]}.` }
  }
  if (what === 'resize' || what === 'restore') {
    if (vm.state === 'stopped' || vm.state === 'crashed') return null
    const how = vm.state === 'suspended' ? 'Power it off' : 'Shut it down'
    return { code: 'invalid_state', why: `It is ${stateWords[vm.state]}. ${how} first.` }
  }
  if (!opStates[what].includes(vm.state))
    return { code: 'invalid_state', why: `It is ${stateWords[vm.state]}.` }
  return null
}

export function ability(what: VmAbility, vm: VmCondition): Ability {
  const refused = refusal(what, vm)
  return refused ? cannot(refused.why) : can
}

export function ensureAble(what: VmAbility, vm: VmCondition & { name: string }): void {
  const refused = refusal(what, vm)
  if (!refused) return
  const sentence = refused.why
    .replace(/^It is /, `${vm.name} is `)
    .replace(/^Its host/, `The host of ${vm.name}`)
  throw new HearthError(refused.code, sentence)
}
