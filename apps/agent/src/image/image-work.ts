/** What image actions do: the work behind the protocol's `image.*` mutations. */
import { HearthError } from '@hearth/shared/errors'
import type { ImageImport, OwnImage } from '@hearth/shared/image'
import type { ActionProgress, ActionWork } from '../actions/actions.ts'
import { errorText, type Log } from '../log.ts'
import type { Vms } from '../vm/vms.ts'
import type { ImageCache } from './image-cache.ts'
import type { ImageCatalogue } from './image-catalogue.ts'
import type { OwnImages } from './own-images.ts'

export interface ImageContext {
  vms: Vms
  catalogue: ImageCatalogue
  cache: ImageCache
  ownImages: OwnImages
  log: Log
}

export function buildWork(context: ImageContext, imageUid: string): ActionWork {
  return (progress) =>
    stoppable(context, imageUid, progress, () => context.catalogue.build(imageUid, options(progress)))
}

export function importWork(context: ImageContext, request: ImageImport): ActionWork {
  return (progress) =>
    stoppable(context, request.image.imageUid, progress, () =>
      context.catalogue.take(request, options(progress)),
    )
}

export function createWork(context: ImageContext, vmUid: string, image: OwnImage): ActionWork {
  const { vms, catalogue, ownImages } = context
  return (progress) =>
    stoppable(context, image.imageUid, progress, async () => {
      const vm = vms.require(vmUid)
      if (vm.hasProcess)
        throw new HearthError('invalid_state', 'Shut the VM down first: an image is made of a disk at rest.')
      await catalogue.make(image, vm.spec.name, options(progress), (report) =>
        ownImages.makeFrom(vm, image, {
          signal: progress.signal,
          onProgress: (fraction) => report(Math.floor(fraction * 98), 'Copying the disk', null),
        }),
      )
    })
}

export function deleteWork(context: ImageContext, imageUid: string): ActionWork {
  const { catalogue, cache, ownImages } = context
  return async (progress) => {
    progress.report(10, 'Deleting')
    await catalogue.remove(imageUid, () => ownImages.remove(imageUid))
    await cache.forget(imageUid)
  }
}

function options(progress: ActionProgress) {
  return {
    signal: progress.signal,
    onProgress: (percent: number, step: string) => progress.report(percent, step),
  }
}

/** Closing the connection stops no build, on purpose; a person's wish has to be said. */
async function stoppable(
  { catalogue, log }: ImageContext,
  imageUid: string,
  { signal }: ActionProgress,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!signal.aborted) throw error
    await catalogue
      .stopWork(imageUid)
      .catch((failure: unknown) =>
        log.warn('cannot stop the making of an image', { image: imageUid, error: errorText(failure) }),
      )
    throw signal.reason
  }
}
