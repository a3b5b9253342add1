/** Requests about backups: what is refused, and what becomes an action. */
import type { ActionReport } from '@hearth/shared/action'
import type { BackupRefInput, BackupTargetInput, BackupVmInput } from '@hearth/shared/agent-protocol'
import type { BackupTargetReport } from '@hearth/shared/backup'
import { HearthError } from '@hearth/shared/errors'
import type { Dispatcher } from '../actions/dispatcher.ts'
import type { BackupServices } from '../api/services.ts'
import type { Vms } from '../vm/vms.ts'
import type { BackupStore } from './backup-store.ts'
import { requireBackup, requireRestoreBackup } from './vm-backup.ts'

export class BackupRequests implements BackupServices {
  readonly #vms: Vms
  readonly #backups: BackupStore
  readonly #dispatcher: Dispatcher

  constructor(parts: { vms: Vms; backups: BackupStore; dispatcher: Dispatcher }) {
    this.#vms = parts.vms
    this.#backups = parts.backups
    this.#dispatcher = parts.dispatcher
  }

  setTarget({ folder, key }: BackupTargetInput): Promise<BackupTargetReport | null> {
    return this.#backups.choose(folder, key)
  }

  async take({ actionId, vmUid, backupUid }: BackupVmInput): Promise<ActionReport> {
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    const vm = this.#vms.require(vmUid)
    // A VM that another action holds is waited for; its state is looked at again then.
    if (this.#vms.holder(vmUid) === undefined) requireBackup(vm)
    await this.#backups.target.requireSpace()
    if (this.#backups.has(backupUid))
      throw new HearthError('uniqueness_error', 'A backup with this identity is already on the backup disk.')
    return this.#dispatcher.accept(
      { actionId, command: 'backup_vm', vmUid },
      { kind: 'backup', vmUid, backupUid },
    )
  }

  async restore({ actionId, vmUid, backupUid }: BackupVmInput): Promise<ActionReport> {
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    requireRestoreBackup(this.#vms.require(vmUid), this.#backups, backupUid)
    return this.#dispatcher.acceptOnVm(
      vmUid,
      { actionId, command: 'restore_backup' },
      { kind: 'restore_backup', vmUid, backupUid },
    )
  }

  async verify({ actionId, backupUid }: BackupRefInput): Promise<ActionReport> {
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    this.#backups.require(backupUid)
    return this.#dispatcher.accept(
      { actionId, command: 'verify_backup' },
      { kind: 'verify_backup', backupUid },
    )
  }

  async delete({ actionId, backupUid }: BackupRefInput): Promise<ActionReport> {
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    this.#backups.require(backupUid)
    return this.#dispatcher.accept(
      { actionId, command: 'delete_backup' },
      { kind: 'delete_backup', backupUid },
    )
  }
}
