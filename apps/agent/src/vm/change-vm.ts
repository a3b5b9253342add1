/** Changing, starting, stopping and deleting a VM that exists. */
import { rm, stat, truncate } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { PowerOp } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { ActionProgress } from '../actions/actions.ts'
import { requireFits, requireMemoryNow } from '../host/capacity.ts'
import { isFull } from '../host/disk-error.ts'
import { seedDocuments } from '../seed/cloud-init.ts'
import { writeSeedIso } from '../seed/seed-iso.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import type { VmStore } from '../store/vm-store.ts'
import { requireBoot } from './boot-options.ts'
import { requireFiles } from './create-vm.ts'
import { shutDown } from './shut-down.ts'
import { requireSuspend, suspendVm } from './suspend-vm.ts'
import type { Vm } from './vm.ts'
import type { Vms } from './vms.ts'

/** How long a guest may take to shut down. */
const shutdownTimeoutMs = 90_000

/** Refuses at once what the VM's state does not allow; the same check the page makes, for those who race it. */
export function requirePower(vm: Vm, op: PowerOp): void {
  const { state } = vm
  if (op === 'suspend') requireSuspend(vm)
  if (op === 'start' && state !== 'stopped' && state !== 'suspended' && state !== 'crashed')
    throw new HearthError('invalid_state', `It cannot be started: it is ${state}.`)
  if (
    (op === 'shutdown' || op === 'reboot' || op === 'reset') &&
    state !== 'running' &&
    state !== 'paused' &&
    state !== 'stopping'
  )
    throw new HearthError('invalid_state', `It is not running: it is ${state}.`)
}

export async function powerVm(vm: Vm, op: PowerOp, progress: ActionProgress): Promise<void> {
  switch (op) {
    case 'start':
      progress.report(5, 'Starting')
      if (vm.hasProcess) return
      await requireFiles(vm)
      requireMemoryNow(vm.spec.memoryBytes)
      await vm.start(progress.signal)
      return
    case 'shutdown':
      await untilShutDown(vm, progress, { keepDesired: false })
      return
    case 'reboot':
      // Down and up again, not the guest's own restart: so a changed CPU, firmware or disk counts from here on.
      await untilShutDown(vm, progress, { keepDesired: true })
      progress.report(60, 'Starting')
      await requireFiles(vm)
      requireMemoryNow(vm.spec.memoryBytes)
      await vm.start(progress.signal)
      return
    case 'poweroff':
      progress.report(5, 'Powering off')
      await vm.powerOff()
      await vm.discardSuspended()
      return
    case 'suspend':
      await suspendVm(vm, progress)
      return
    case 'reset':
      progress.report(5, 'Resetting')
      await vm.reset()
  }
}

async function untilShutDown(
  vm: Vm,
  progress: ActionProgress,
  { keepDesired }: { keepDesired: boolean },
): Promise<void> {
  progress.report(5, 'Waiting for the guest to shut down')
  if (!(await shutDown(vm, { keepDesired, timeoutMs: shutdownTimeoutMs }))) {
    vm.shutdownIgnored()
    throw new HearthError(
      'timeout',
      `The guest has not shut down within ${shutdownTimeoutMs / 1000} seconds. It may not listen to the power button; power off ends it at once.`,
    )
  }
  if (vm.state === 'crashed')
    throw new HearthError('vmm_failed', vm.record.exit?.reason ?? 'It crashed while shutting down.')
}

/** What may be changed of a VM; the rest is what it is. */
export function requireUpdate(vm: Vm, spec: VmSpec): void {
  const current = vm.spec
  if (spec.generation < current.generation)
    throw new HearthError(
      'conflict',
      `This host already has a newer version of this VM (generation ${current.generation}).`,
    )
  if (spec.image !== current.image || spec.mac !== current.mac)
    throw new HearthError('invalid_input', 'The image and the MAC address of a VM cannot be changed.')
  if (vm.record.boot) requireBoot(spec, vm.record.boot)
  if (vm.state === 'suspended' && (spec.cpus !== current.cpus || spec.memoryBytes !== current.memoryBytes))
    throw new HearthError(
      'invalid_state',
      'It is suspended, and its machine keeps its size. Start it and shut it down, or power it off, first.',
    )
  if (vm.state === 'suspended' && (spec.display === undefined) !== (current.display === undefined))
    throw new HearthError(
      'invalid_state',
      'It is suspended, and its machine keeps its devices. Start it and shut it down, or power it off, first.',
    )
  if (spec.bridge !== current.bridge && !vm.isOff)
    throw new HearthError('invalid_state', 'The network changes while the VM is off. Shut it down first.')
  requireFits(spec)
  const currentDisk = current.diskBytes ?? 0
  const disk = spec.diskBytes ?? 0
  if (disk < currentDisk) throw new HearthError('invalid_input', 'A disk can grow, but not shrink.')
  if (disk > currentDisk) {
    if (!vm.record.boot?.disk) throw new HearthError('invalid_input', 'This VM has no disk that could grow.')
    if (!vm.isOff)
      throw new HearthError('invalid_state', 'The disk can grow while the VM is stopped. Shut it down first.')
  }
}

/** CPUs and memory take effect at the next start; the disk grows now. */
export async function updateVm(
  context: { vms: Vms },
  vm: Vm,
  spec: VmSpec,
  progress: ActionProgress,
): Promise<void> {
  const before = vm.spec
  const bootDisk = vm.record.boot?.disk === true && spec.diskBytes !== undefined
  if (bootDisk && spec.diskBytes !== undefined && !vm.hasProcess) {
    progress.report(20, 'Growing the disk')
    const { size } = await stat(vm.files.disk).catch(() => {
      throw new HearthError('disk_missing', 'The disk of this VM is gone from this host.')
    })
    if (size < spec.diskBytes) await truncate(vm.files.disk, spec.diskBytes)
  }
  await vm.setSpec(spec)
  if (vm.record.boot?.seed && !vm.hasProcess) await writeSeedIso(vm.files.seed, seedDocuments(spec))
  if (before.name !== spec.name || !isDeepStrictEqual(networkOf(before), networkOf(spec))) {
    progress.report(70, 'Telling the network')
    try {
      await context.vms.publishGuests()
    } catch (error) {
      // Both sides go on with what they had.
      await vm.setSpec({ ...before, generation: spec.generation })
      throw error
    }
  }
}

const networkOf = ({ bridge, forwards, firewall }: VmSpec) => ({ bridge, forwards, firewall })

/** Removes a VM for good: process, network, folder. May be done again at any point. */
export async function deleteVm(
  context: { vms: Vms; store: VmStore; snapshots: SnapshotStore },
  vm: Vm,
  progress: ActionProgress | null,
): Promise<void> {
  const { vmUid } = vm.spec
  await vm.setRecord({ phase: 'deleting', desired: 'stopped' }).catch((error: unknown) => {
    // It goes all the same, and makes room.
    if (!isFull(error)) throw error
  })
  if (vm.hasProcess) {
    progress?.report(10, 'Powering off')
    await vm.powerOff()
  }
  progress?.report(40, 'Deleting its files')
  for (const { snapshotUid } of context.snapshots.ofVm(vmUid)) await context.snapshots.remove(snapshotUid)
  await context.store.remove(vmUid)
  context.vms.drop(vmUid)
  progress?.report(90, 'Freeing its address')
  await context.vms.publishGuests()
  await Promise.all(Object.values(vm.sockets).map((path: string) => rm(path, { force: true })))
}
