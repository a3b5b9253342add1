/** Requests about VMs: what is refused, and what becomes an action. */
import type { ActionReport } from '@hearth/shared/action'
import type {
  VmCreateInput,
  VmPowerInput,
  VmRebuildInput,
  VmRefInput,
  VmUpdateInput,
} from '@hearth/shared/agent-protocol'
import type { BackupSource } from '@hearth/shared/backup'
import { HearthError } from '@hearth/shared/errors'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { ActionRequest } from '../actions/action-journal.ts'
import type { ActionSubject, Actions } from '../actions/actions.ts'
import type { Dispatcher } from '../actions/dispatcher.ts'
import type { BackupStore } from '../backup/backup-store.ts'
import { requireFits } from '../host/capacity.ts'
import type { ImageCatalogue } from '../image/image-catalogue.ts'
import type { GuestNetwork } from '../network/guest-network.ts'
import { requireNetwork } from '../network/ports.ts'
import { seedDocuments } from '../seed/cloud-init.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { requireFreeVolumes, requireVolumes } from '../volume/vm-volumes.ts'
import type { VolumeStore } from '../volume/volume-store.ts'
import { requirePower, requireUpdate } from './change-vm.ts'
import { requireRebuild } from './rebuild-vm.ts'
import type { Vms } from './vms.ts'

export class VmRequests {
  readonly #actions: Actions
  readonly #backups: BackupStore
  readonly #catalogue: ImageCatalogue
  readonly #dispatcher: Dispatcher
  readonly #network: GuestNetwork
  readonly #snapshots: SnapshotStore
  readonly #vms: Vms
  readonly #volumes: VolumeStore

  constructor(parts: {
    actions: Actions
    backups: BackupStore
    catalogue: ImageCatalogue
    dispatcher: Dispatcher
    network: GuestNetwork
    snapshots: SnapshotStore
    vms: Vms
    volumes: VolumeStore
  }) {
    this.#actions = parts.actions
    this.#backups = parts.backups
    this.#catalogue = parts.catalogue
    this.#dispatcher = parts.dispatcher
    this.#network = parts.network
    this.#snapshots = parts.snapshots
    this.#vms = parts.vms
    this.#volumes = parts.volumes
  }

  async create(input: VmCreateInput): Promise<ActionReport> {
    const { actionId, spec, start, snapshotUid, backup } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    await this.#requireNetwork(spec)
    if (this.#vms.find(spec.vmUid) || this.#vms.holder(spec.vmUid) !== undefined)
      throw new HearthError('uniqueness_error', 'A VM with this identity is already on this host.')
    // Two cards with one address on one bridge would take each other's packets, and their fixed IP address.
    if (this.#vms.all().some((vm) => vm.spec.mac === spec.mac))
      throw new HearthError('uniqueness_error', `A VM on this host already has the MAC address ${spec.mac}.`)
    if (backup) this.#requireSource(spec, backup)
    else requireFreeVolumes(this.#vms, this.#volumes, spec)
    if (snapshotUid !== undefined) this.#snapshots.require(snapshotUid)
    else if (!backup && !this.#catalogue.has(spec.image))
      throw new HearthError('not_found', `There is no image ${spec.image} on this host.`)
    requireFits(spec)
    // Refuses user data cloud-init could not read, while the person still has the form open.
    seedDocuments(spec)
    const request: ActionRequest = {
      kind: 'create',
      spec,
      start,
      ...(snapshotUid === undefined ? {} : { snapshotUid }),
      ...(backup ? { backup } : {}),
    }
    return this.#dispatcher.acceptOnVm(spec.vmUid, { actionId, command: 'create_vm' }, request)
  }

  async power(input: VmPowerInput): Promise<ActionReport> {
    const { actionId, vmUid, op } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    const vm = this.#vms.require(vmUid)
    const request: ActionRequest = { kind: 'power', vmUid, op }
    const subject: ActionSubject = { actionId, command: `${op}_vm`, vmUid }
    if (op === 'poweroff') {
      // Pulling the plug works whoever holds the VM; what it interrupts ends by itself.
      const holder = this.#vms.holder(vmUid)
      if (holder !== undefined && this.#actions.get(holder)?.command !== 'delete_vm')
        this.#actions.abort(holder, new HearthError('cancelled', 'It was powered off meanwhile.'))
      return this.#dispatcher.accept(subject, request)
    }
    if (this.#vms.holder(vmUid) === undefined) requirePower(vm, op)
    return this.#dispatcher.acceptOnVm(vmUid, subject, request)
  }

  async update(input: VmUpdateInput): Promise<ActionReport> {
    const { actionId, spec } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    const vm = this.#vms.require(spec.vmUid)
    await this.#requireNetwork(spec, vm.spec)
    requireUpdate(vm, spec)
    requireVolumes(this.#vms, this.#volumes, vm, spec)
    seedDocuments(spec)
    return this.#dispatcher.acceptOnVm(
      spec.vmUid,
      { actionId, command: 'update_vm' },
      { kind: 'update', spec },
    )
  }

  async rebuild({ actionId, spec, start }: VmRebuildInput): Promise<ActionReport> {
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    requireRebuild(this.#vms.require(spec.vmUid), spec)
    if (!this.#catalogue.has(spec.image))
      throw new HearthError('not_found', `There is no image ${spec.image} on this host.`)
    seedDocuments(spec)
    return this.#dispatcher.acceptOnVm(
      spec.vmUid,
      { actionId, command: 'rebuild_vm' },
      { kind: 'rebuild', spec, start },
    )
  }

  async delete(input: VmRefInput): Promise<ActionReport> {
    const { actionId, vmUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    this.#vms.require(vmUid)
    return this.#dispatcher.acceptOnVm(vmUid, { actionId, command: 'delete_vm' }, { kind: 'delete', vmUid })
  }

  #requireNetwork(spec: VmSpec, current?: VmSpec): Promise<void> {
    const others = this.#vms.all().flatMap((vm) => (vm.spec.vmUid === spec.vmUid ? [] : [vm.spec]))
    return requireNetwork(this.#network, others, spec, current)
  }

  /** A VM from a backup has the new volumes that the request names, and no others. */
  #requireSource(spec: VmSpec, backup: BackupSource): void {
    this.#backups.requireWhole(backup.backupUid)
    const wanted = (spec.volumes ?? []).map(({ volumeUid }) => volumeUid)
    const made = new Set(backup.volumes.map(({ to }) => to))
    if (made.size !== wanted.length || wanted.some((uid) => !made.has(uid)))
      throw new HearthError('invalid_input', 'The VM and its volumes do not belong together.')
    for (const uid of made)
      if (this.#volumes.has(uid))
        throw new HearthError('uniqueness_error', 'A volume with this identity is already on this host.')
  }
}
