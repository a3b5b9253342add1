/** An image somebody brings: the same work as a distribution's, by an address or from an upload. */
import { createHash } from 'node:crypto'
import type { ImageImport } from '@hearth/shared/image'
import { BuildError } from '../recipes/build-error.ts'
import type { RecipeDefinition } from '../recipes/recipe.ts'
import { fetchImage } from './fetch-image.ts'
import { UploadStore } from './uploads.ts'

export function ownImageRecipe(request: ImageImport): RecipeDefinition {
  const { image, from } = request
  return {
    ...image,
    // A second request for the same thing finds it done; the uid is never used for another one.
    recipeHash: createHash('sha256').update(image.imageUid).digest('hex').slice(0, 32),
    kind: 'disk',
    source: from.type === 'address' ? 'import' : 'upload',
    boot: 'firmware',
    origin: from.type === 'address' ? from.url : from.fileName,
    downloadBytes: from.type === 'upload' ? from.bytes : 0,
    async build(context) {
      if (from.type === 'address')
        return fetchImage(context, { imageUid: image.imageUid, from, minDiskBytes: image.minDiskBytes })
      const uploads = new UploadStore(context.images)
      const file = uploads.file(from.uploadUid)
      if ((await uploads.offset(from.uploadUid)) !== from.bytes)
        throw new BuildError('The upload is not complete. Go on with it, then take the image in again.')
      try {
        return await fetchImage(context, {
          imageUid: image.imageUid,
          from: { type: 'file', path: file, checksum: from.checksum },
          minDiskBytes: image.minDiskBytes,
        })
      } catch (error) {
        // A file that is no image, or another one than was meant, becomes none by being tried again.
        if (error instanceof BuildError) await uploads.remove(from.uploadUid)
        throw error
      }
    },
  }
}
