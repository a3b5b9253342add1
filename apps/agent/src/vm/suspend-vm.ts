/**
 * A VM whose running machine lies on the disk: its memory and devices in `suspended`, made by its monitor's last act.
 * The folder counts for exactly one start, because the disk goes on from there and the memory does not.
 */
import { existsSync } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HearthError } from '@hearth/shared/errors'
import type { ActionProgress } from '../actions/actions.ts'
import { requireSpace } from '../host/capacity.ts'
import { syncFolder } from '../store/atomic-file.ts'
import type { VmFiles } from '../store/vm-store.ts'
import type { Vm } from './vm.ts'

export const isSuspended = (files: VmFiles): boolean => existsSync(files.suspended)

export function requireSuspend(vm: Vm): void {
  const { state } = vm
  if (state !== 'running' && state !== 'paused')
    throw new HearthError('invalid_state', `It cannot be suspended: it is ${state}.`)
}

/** Writes the machine to the disk and ends its monitor. Whatever fails, the guest goes on running. */
export async function suspendVm(vm: Vm, progress: ActionProgress): Promise<void> {
  // An agent that was interrupted in the middle of this finds it done.
  if (vm.state === 'suspended') return
  await requireSpace(vm.files.folder, vm.spec.memoryBytes)
  progress.report(10, 'Writing its memory to the disk')
  await vm.saveAndEnd()
  if (!isSuspended(vm.files))
    throw new HearthError(
      'vmm_failed',
      vm.record.exit?.reason ?? 'Its monitor ended without having saved it.',
    )
}

/** The monitor ended with a snapshot in its slot: that is the suspended machine. */
export async function putSuspended(files: VmFiles): Promise<void> {
  const document = await stat(join(files.snapshotSlot, 'vm.json')).catch(() => null)
  if (document && document.size > 0) await moveFolder(files.snapshotSlot, files.suspended)
}

/** Before a start: the folder to start from, or undefined for a cold start. From here on it is used up, unless `keepSuspended`. */
export async function takeSuspended(files: VmFiles): Promise<string | undefined> {
  if (!isSuspended(files)) return undefined
  await moveFolder(files.suspended, files.resuming)
  return files.resuming
}

/** The start failed before the guest ran: the machine is still the one that was suspended. */
export async function keepSuspended(files: VmFiles): Promise<void> {
  if (existsSync(files.resuming)) await moveFolder(files.resuming, files.suspended)
}

/** The guest ran, and its disk went on with it. A monitor that runs has the memory open and needs no name for it. */
export async function forgetResumed(files: VmFiles): Promise<void> {
  await rm(files.resuming, { recursive: true, force: true })
}

/** Nobody wants the machine back. */
export async function dropSuspended(files: VmFiles): Promise<void> {
  await rm(files.suspended, { recursive: true, force: true })
}

async function moveFolder(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true })
  await rename(from, to)
  await syncFolder(dirname(to))
}
