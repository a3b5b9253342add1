/** Requests about snapshots of a VM: what is refused, and what becomes an action. */
import type { ActionReport } from '@hearth/shared/action'
import type { VmSnapshotInput } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { Dispatcher } from '../actions/dispatcher.ts'
import type { Vms } from '../vm/vms.ts'
import type { SnapshotStore } from './snapshot-store.ts'
import { requireRestore, requireSnapshot } from './vm-snapshot.ts'

export class SnapshotRequests {
  readonly #vms: Vms
  readonly #snapshots: SnapshotStore
  readonly #dispatcher: Dispatcher

  constructor(parts: { vms: Vms; snapshots: SnapshotStore; dispatcher: Dispatcher }) {
    this.#vms = parts.vms
    this.#snapshots = parts.snapshots
    this.#dispatcher = parts.dispatcher
  }

  async take(input: VmSnapshotInput): Promise<ActionReport> {
    const { actionId, vmUid, snapshotUid } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    requireSnapshot(this.#vms.require(vmUid))
    if (this.#snapshots.find(snapshotUid))
      throw new HearthError('uniqueness_error', 'A snapshot with this identity is already on this host.')
    return this.#dispatcher.acceptOnVm(
      vmUid,
      { actionId, command: 'snapshot_vm' },
      { kind: 'snapshot', vmUid, snapshotUid },
    )
  }

  async restore(input: VmSnapshotInput): Promise<ActionReport> {
    const { actionId, vmUid, snapshotUid } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    requireRestore(this.#vms.require(vmUid), this.#snapshots, snapshotUid)
    return this.#dispatcher.acceptOnVm(
      vmUid,
      { actionId, command: 'restore_vm' },
      { kind: 'restore', vmUid, snapshotUid },
    )
  }

  async delete(input: VmSnapshotInput): Promise<ActionReport> {
    const { actionId, vmUid, snapshotUid } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    this.#snapshots.require(snapshotUid)
    return this.#dispatcher.acceptOnVm(
      vmUid,
      { actionId, command: 'delete_snapshot' },
      { kind: 'delete_snapshot', vmUid, snapshotUid },
    )
  }
}
