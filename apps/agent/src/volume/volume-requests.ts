/** Requests about volumes: what is refused, and what becomes an action. */
import type { ActionReport } from '@hearth/shared/action'
import type { VolumeCreateInput, VolumeGrowInput, VolumeRefInput } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { ActionRequest } from '../actions/action-journal.ts'
import type { Dispatcher } from '../actions/dispatcher.ts'
import { requireUpdate } from '../vm/change-vm.ts'
import type { Vms } from '../vm/vms.ts'
import { requireVolumeChange, requireVolumes } from './vm-volumes.ts'
import type { VolumeStore } from './volume-store.ts'

export class VolumeRequests {
  readonly #vms: Vms
  readonly #volumes: VolumeStore
  readonly #dispatcher: Dispatcher

  constructor(parts: { vms: Vms; volumes: VolumeStore; dispatcher: Dispatcher }) {
    this.#vms = parts.vms
    this.#volumes = parts.volumes
    this.#dispatcher = parts.dispatcher
  }

  async create(input: VolumeCreateInput): Promise<ActionReport> {
    const { actionId, volumeUid, bytes, format, attach } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    if (this.#volumes.has(volumeUid) || this.#vms.holder(volumeUid) !== undefined)
      throw new HearthError('uniqueness_error', 'A volume with this identity is already on this host.')
    const request: ActionRequest = {
      kind: 'create_volume',
      volumeUid,
      bytes,
      format,
      ...(attach ? { attach } : {}),
    }
    if (!attach) return this.#dispatcher.acceptOn(volumeUid, { actionId, command: 'create_volume' }, request)
    const vm = this.#vms.require(attach.vmUid)
    requireUpdate(vm, attach)
    requireVolumes(this.#vms, this.#volumes, vm, attach, volumeUid)
    return this.#dispatcher.acceptOnVm(attach.vmUid, { actionId, command: 'create_volume' }, request)
  }

  async grow(input: VolumeGrowInput): Promise<ActionReport> {
    const { actionId, volumeUid, bytes } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    requireVolumeChange(this.#vms, this.#volumes, volumeUid, 'grow')
    return this.#dispatcher.acceptOn(
      volumeUid,
      { actionId, command: 'resize_volume' },
      { kind: 'grow_volume', volumeUid, bytes },
    )
  }

  async delete(input: VolumeRefInput): Promise<ActionReport> {
    const { actionId, volumeUid } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    requireVolumeChange(this.#vms, this.#volumes, volumeUid, 'delete')
    return this.#dispatcher.acceptOn(
      volumeUid,
      { actionId, command: 'delete_volume' },
      { kind: 'delete_volume', volumeUid },
    )
  }
}
