/** Which VM has which volumes: by their specifications, the one place where it is written down. */
import { HearthError } from '@hearth/shared/errors'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { Vm } from '../vm/vm.ts'
import type { Vms } from '../vm/vms.ts'
import type { VolumeStore } from './volume-store.ts'

function volumeUids(spec: VmSpec): string[] {
  return (spec.volumes ?? []).map(({ volumeUid }) => volumeUid)
}

function holderOf(vms: Vms, volumeUid: string): Vm | undefined {
  return vms.all().find((vm) => volumeUids(vm.spec).includes(volumeUid))
}

/** What may change of a VM's volumes: only while it is off, and none that another VM has. `made` is there soon. */
export function requireVolumes(vms: Vms, volumes: VolumeStore, vm: Vm, spec: VmSpec, made?: string): void {
  const before = volumeUids(vm.spec)
  const after = volumeUids(spec)
  if (before.join() === after.join()) return
  if (!vm.isOff)
    throw new HearthError(
      'invalid_state',
      'Disks are attached and detached while the VM is stopped. Shut it down first.',
    )
  requireFree(
    vms,
    volumes,
    after.filter((volumeUid) => !before.includes(volumeUid) && volumeUid !== made),
  )
  requireOnce(after)
}

/** Those of a VM that is being made, which are there already. */
export function requireFreeVolumes(vms: Vms, volumes: VolumeStore, spec: VmSpec): void {
  const wanted = volumeUids(spec)
  requireOnce(wanted)
  requireFree(vms, volumes, wanted)
}

function requireOnce(uids: readonly string[]): void {
  if (new Set(uids).size !== uids.length)
    throw new HearthError('invalid_input', 'A disk can be attached to a VM once.')
}

function requireFree(vms: Vms, volumes: VolumeStore, uids: readonly string[]): void {
  for (const volumeUid of uids) {
    volumes.require(volumeUid)
    const holder = holderOf(vms, volumeUid)
    if (holder) throw new HearthError('conflict', `${holder.spec.name} has this disk. Detach it there first.`)
    if (vms.holder(volumeUid) !== undefined)
      throw new HearthError('locked', 'This disk is being changed. Wait until that is done.')
  }
}

/** Growing needs its VM to be off, and deleting needs it to have none. */
export function requireVolumeChange(
  vms: Vms,
  volumes: VolumeStore,
  volumeUid: string,
  what: 'grow' | 'delete',
): void {
  volumes.require(volumeUid)
  const holder = holderOf(vms, volumeUid)
  if (!holder) return
  if (what === 'delete')
    throw new HearthError('conflict', `${holder.spec.name} has this disk. Detach it there first.`)
  if (!holder.isOff)
    throw new HearthError(
      'invalid_state',
      `A disk can grow while its VM is stopped. Shut ${holder.spec.name} down first.`,
    )
}
