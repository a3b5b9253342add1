/** Requests about images: what is refused, and what becomes an action. */
import type { ActionReport } from '@hearth/shared/action'
import { HearthError } from '@hearth/shared/errors'
import type { ImageImport, OwnImage } from '@hearth/shared/image'
import type { ActionRequest } from '../actions/action-journal.ts'
import type { Dispatcher } from '../actions/dispatcher.ts'
import type { Vms } from '../vm/vms.ts'
import type { ImageCatalogue } from './image-catalogue.ts'

export class ImageRequests {
  readonly #vms: Vms
  readonly #catalogue: ImageCatalogue
  readonly #dispatcher: Dispatcher

  constructor(parts: { vms: Vms; catalogue: ImageCatalogue; dispatcher: Dispatcher }) {
    this.#vms = parts.vms
    this.#catalogue = parts.catalogue
    this.#dispatcher = parts.dispatcher
  }

  async build(input: { actionId: number; imageUid: string }): Promise<ActionReport> {
    const { actionId, imageUid } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    if (!this.#catalogue.has(imageUid))
      throw new HearthError('not_found', `There is no image ${imageUid} on this host.`)
    const request: ActionRequest = { kind: 'build', imageUid }
    const fetched = this.#catalogue.list().find((image) => image.imageUid === imageUid)?.source === 'download'
    const command = fetched ? 'download_image' : 'build_image'
    return this.#dispatcher.accept({ actionId, command, imageUid }, request)
  }

  async import(input: ImageImport & { actionId: number }): Promise<ActionReport> {
    const { actionId, ...wanted } = input
    const { imageUid } = wanted.image
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    this.#requireNewImage(imageUid)
    const request: ActionRequest = { kind: 'import', import: wanted }
    return this.#dispatcher.accept({ actionId, command: 'import_image', imageUid }, request)
  }

  async create(input: { actionId: number; vmUid: string; image: OwnImage }): Promise<ActionReport> {
    const { actionId, vmUid, image } = input
    const { imageUid } = image
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    const vm = this.#vms.require(vmUid)
    this.#requireNewImage(imageUid)
    if (vm.hasProcess)
      throw new HearthError('invalid_state', 'Shut the VM down first: an image is made of a disk at rest.')
    const request: ActionRequest = { kind: 'create_image', vmUid, image }
    return this.#dispatcher.acceptOnVm(vmUid, { actionId, command: 'create_image', imageUid }, request)
  }

  async delete(input: { actionId: number; imageUid: string }): Promise<ActionReport> {
    const { actionId, imageUid } = input
    const seen = this.#dispatcher.seen(actionId)
    if (seen) return seen
    if (!this.#catalogue.has(imageUid))
      throw new HearthError('not_found', `There is no image ${imageUid} on this host.`)
    const request: ActionRequest = { kind: 'delete_image', imageUid }
    return this.#dispatcher.accept({ actionId, command: 'delete_image', imageUid }, request)
  }

  #requireNewImage(imageUid: string): void {
    const known = this.#catalogue.list().find((image) => image.imageUid === imageUid)
    // One that failed may be tried again under its uid.
    if (known && known.status !== 'failed')
      throw new HearthError('uniqueness_error', `There is an image ${imageUid} on this host already.`)
  }
}
