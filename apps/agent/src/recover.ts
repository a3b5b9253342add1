/**
 * What a new agent makes of what the last one left: monitors that still run are adopted, actions under way are
 * gone on with or ended, half-made and half-deleted VMs are finished or removed, and after a boot of the box
 * the VMs that should run are started.
 */
import { HearthError } from '@hearth/shared/errors'
import type { ActionRequest, JournalEntry } from './actions/action-journal.ts'
import type { Actions, ActionWork } from './actions/actions.ts'
import { findProcessesByArgument, isProcessAlive, type ProcessIdentity } from './host/process-identity.ts'
import { errorText, type Log } from './log.ts'
import type { GuestNetwork } from './network/guest-network.ts'
import type { SnapshotStore } from './snapshot/snapshot-store.ts'
import type { VmStore } from './store/vm-store.ts'
import { deleteVm } from './vm/change-vm.ts'
import type { Vm } from './vm/vm.ts'
import type { Vms } from './vm/vms.ts'

export interface RecoverContext {
  vms: Vms
  store: VmStore
  snapshots: SnapshotStore
  actions: Actions
  network: GuestNetwork
  bootId: string
  log: Log
  redo: (request: ActionRequest, actionId: number) => ActionWork
  startAtBoot: (vm: Vm) => void
}

export async function recover(context: RecoverContext): Promise<void> {
  const { vms, store, actions, network, log } = context
  const { vms: stored, unreadable } = await store.load()
  for (const { folder, error } of unreadable)
    log.error('a VM folder cannot be read and is left alone', { folder, error: errorText(error) })
  const entries = await actions.open()

  for (const { spec, record } of stored) vms.add(spec, record)
  const alive = new Map<Vm, ProcessIdentity>()
  for (const vm of vms.all()) {
    const identity = findMonitor(vm, context.bootId)
    if (identity) alive.set(vm, identity)
  }
  await network.start(
    vms.all().map((vm) => vm.guest),
    [...alive.keys()].map((vm) => vm.guest),
  )
  const toStart: Vm[] = []
  for (const vm of vms.all()) {
    const { record } = vm
    const address = network.currentAddress(record.address)
    if (address !== record.address) await vm.setRecord({ address })
    const identity = alive.get(vm)
    if (identity) {
      log.info('vm goes on', { vm: vm.spec.vmUid, pid: identity.pid })
      if (record.process?.pid !== identity.pid) await vm.setRecord({ process: identity })
      vm.adopt(identity)
      continue
    }
    const rebooted = record.process !== null && record.process.bootId !== context.bootId
    if (record.process) await vm.noteEndedAway(rebooted)
    const cameDown = record.downWithHost === true
    if (cameDown) await vm.setRecord({ downWithHost: undefined })
    if (
      (rebooted || cameDown) &&
      record.phase === 'ready' &&
      record.desired === 'running' &&
      vm.spec.startAtBoot
    )
      toStart.push(vm)
  }

  const resumed = new Set<string>()
  for (const entry of entries) {
    try {
      if (await resume(context, entry)) {
        const { vmUid } = entry.report
        if (vmUid) resumed.add(vmUid)
      }
    } catch (error) {
      await actions.end(entry, error instanceof HearthError ? error : cancelled())
    }
  }
  for (const vm of vms.all()) {
    if (resumed.has(vm.spec.vmUid) || vm.record.phase === 'ready') continue
    log.warn('removing what is left of a VM', { vm: vm.spec.vmUid, phase: vm.record.phase })
    await deleteVm(context, vm, null)
  }
  for (const vm of toStart) if (!resumed.has(vm.spec.vmUid)) context.startAtBoot(vm)
}

/** The recorded process, or one that runs for this VM without being recorded. */
function findMonitor(vm: Vm, bootId: string): ProcessIdentity | null {
  const { process: recorded } = vm.record
  if (recorded && isProcessAlive(recorded, bootId)) return recorded
  return findProcessesByArgument(`unix:${vm.sockets.control}`, bootId)[0] ?? null
}

/** Returns whether the action goes on; otherwise it has been ended. */
async function resume(context: RecoverContext, entry: JournalEntry): Promise<boolean> {
  const { actions, vms } = context
  const { request, report } = entry
  if (request === null) {
    await actions.end(entry, cancelled())
    return false
  }
  const goOn = () => {
    actions.resume(entry, context.redo(request, report.actionId))
    return true
  }
  const end = async (error: HearthError | null) => {
    await actions.end(entry, error)
    return false
  }
  switch (request.kind) {
    case 'create':
    case 'build':
    case 'import':
    case 'delete_image':
    case 'verify_backup':
    case 'delete_backup':
      return goOn()
    case 'create_image':
      return vms.find(request.vmUid) ? goOn() : end(cancelled())
    case 'delete':
      return vms.find(request.vmUid) ? goOn() : end(null)
    case 'backup':
    case 'restore_backup':
    case 'snapshot':
    case 'restore':
    case 'delete_snapshot':
      return vms.find(request.vmUid) ? goOn() : end(cancelled())
    case 'create_volume':
      return !request.attach || vms.find(request.attach.vmUid) ? goOn() : end(cancelled())
    case 'grow_volume':
    case 'delete_volume':
      return goOn()
    case 'update':
    case 'rebuild':
      return vms.find(request.spec.vmUid) ? goOn() : end(cancelled())
    case 'power': {
      const vm = vms.find(request.vmUid)
      if (!vm) return end(cancelled())
      // A reset may have happened or not, and twice is worse than not at all.
      if (request.op === 'reset') return end(cancelled())
      if (request.op === 'start') return entry.bootId === context.bootId ? goOn() : end(cancelled())
      if (request.op === 'suspend' && !vm.hasProcess)
        return end(vm.state === 'suspended' ? null : cancelled())
      return vm.hasProcess ? goOn() : end(null)
    }
  }
}

function cancelled(): HearthError {
  return new HearthError('cancelled', "The host's agent was interrupted during this. Try it again.")
}
