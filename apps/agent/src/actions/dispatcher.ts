/**
 * From a request that was found right to the work it means: journaled and accepted as an action, holding what it
 * changes, and the same once more after a crash.
 */
import type { ActionReport } from '@hearth/shared/action'
import { deleteBackup, verifyBackup } from '../backup/backup-work.ts'
import { type BackupContext, restoreBackup, takeBackup } from '../backup/vm-backup.ts'
import type { ImageContext } from '../image/image-work.ts'
import { buildWork, createWork, deleteWork, importWork } from '../image/image-work.ts'
import type { GuestNetwork } from '../network/guest-network.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { restoreSnapshot, takeSnapshot } from '../snapshot/vm-snapshot.ts'
import type { VmStore } from '../store/vm-store.ts'
import { deleteVm, powerVm, updateVm } from '../vm/change-vm.ts'
import { createVm } from '../vm/create-vm.ts'
import { rebuildVm } from '../vm/rebuild-vm.ts'
import type { ActionRequest } from './action-journal.ts'
import type { ActionSubject, Actions, ActionWork } from './actions.ts'

/** What work is done with. */
export interface WorkContext extends ImageContext, BackupContext {
  actions: Actions
  store: VmStore
  snapshots: SnapshotStore
  network: GuestNetwork
}

export class Dispatcher {
  readonly #context: WorkContext

  constructor(context: WorkContext) {
    this.#context = context
  }

  /** What an action of this id became, if there was one: the same id again is the same action. */
  seen(actionId: number): ActionReport | null {
    return this.#context.actions.get(actionId)
  }

  /** For what may go on beside others. */
  accept(subject: ActionSubject, request: ActionRequest): Promise<ActionReport> {
    return this.#context.actions.accept(subject, request, this.#work(request, subject.actionId))
  }

  acceptOnVm(
    vmUid: string,
    subject: Omit<ActionSubject, 'vmUid'>,
    request: ActionRequest,
  ): Promise<ActionReport> {
    return this.acceptOn(vmUid, { ...subject, vmUid }, request)
  }

  /** One action at a time holds a thing, which is named by its uid. */
  async acceptOn(uid: string, subject: ActionSubject, request: ActionRequest): Promise<ActionReport> {
    const { actionId } = subject
    this.#context.vms.hold(uid, actionId)
    try {
      return await this.#context.actions.accept(subject, request, this.#held(uid, actionId, request))
    } catch (error) {
      this.#context.vms.letGo(uid, actionId)
      throw error
    }
  }

  /** Work of the journal, to be done again. */
  redo(request: ActionRequest, actionId: number): ActionWork {
    const held = heldBy(request)
    if (held === null || (request.kind === 'power' && request.op === 'poweroff'))
      return this.#work(request, actionId)
    this.#context.vms.hold(held, actionId)
    return this.#held(held, actionId, request)
  }

  #held(vmUid: string, actionId: number, request: ActionRequest): ActionWork {
    const work = this.#work(request, actionId)
    return async (progress) => {
      try {
        await work(progress)
      } finally {
        this.#context.vms.letGo(vmUid, actionId)
      }
    }
  }

  #work(request: ActionRequest, actionId: number): ActionWork {
    const context = this.#context
    switch (request.kind) {
      case 'create':
        return (progress) => createVm(context, request, progress)
      case 'power':
        return (progress) => powerVm(context.vms.require(request.vmUid), request.op, progress)
      case 'update':
        return (progress) =>
          updateVm(context, context.vms.require(request.spec.vmUid), request.spec, progress)
      case 'rebuild':
        return (progress) => rebuildVm(context, context.vms.require(request.spec.vmUid), request, progress)
      case 'delete':
        return (progress) => deleteVm(context, context.vms.require(request.vmUid), progress)
      case 'snapshot':
        return (progress) =>
          takeSnapshot(context.snapshots, context.vms.require(request.vmUid), request.snapshotUid, progress)
      case 'restore':
        return (progress) =>
          restoreSnapshot(
            context.snapshots,
            context.vms.require(request.vmUid),
            request.snapshotUid,
            progress,
          )
      case 'delete_snapshot':
        return async () => context.snapshots.remove(request.snapshotUid)
      case 'backup':
        return (progress) => takeBackup(context, { ...request, actionId }, progress)
      case 'restore_backup':
        return (progress) =>
          restoreBackup(context, context.vms.require(request.vmUid), request.backupUid, progress)
      case 'verify_backup':
        return (progress) => verifyBackup(context.backups, request.backupUid, progress)
      case 'delete_backup':
        return (progress) => deleteBackup(context.backups, request.backupUid, progress)
      case 'create_volume':
        return async (progress) => {
          const { volumeUid, bytes, format, attach } = request
          progress.report(10, 'Making the disk')
          await context.volumes.create(volumeUid, bytes, format, progress.signal)
          try {
            if (attach) await updateVm(context, context.vms.require(attach.vmUid), attach, progress)
          } catch (error) {
            // Asked for as one thing: half of it is not left behind.
            await context.volumes.remove(volumeUid)
            throw error
          }
        }
      case 'grow_volume':
        return () => context.volumes.grow(request.volumeUid, request.bytes)
      case 'delete_volume':
        return () => context.volumes.remove(request.volumeUid)
      case 'build':
        return buildWork(context, request.imageUid)
      case 'import':
        return importWork(context, request.import)
      case 'create_image':
        return createWork(context, request.vmUid, request.image)
      case 'delete_image':
        return deleteWork(context, request.imageUid)
    }
  }
}

/** What an action holds, by its uid; null for what may go on beside others. */
function heldBy(request: ActionRequest): string | null {
  // It takes the VM by itself, for the moment in which it needs it.
  if (request.kind === 'backup') return null
  if (request.kind === 'create_volume') return request.attach?.vmUid ?? request.volumeUid
  if ('spec' in request) return request.spec.vmUid
  if ('vmUid' in request) return request.vmUid
  return 'volumeUid' in request ? request.volumeUid : null
}
