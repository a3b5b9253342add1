/** What the end of an action means for the image it was about. */
import type { Queries } from '../db/client.ts'
import type { Action } from '../generated/client.ts'
import { isOwn } from './image-rules.ts'
import { sourceSchema } from './image-view.ts'

export async function settleImage(tx: Queries, imageId: number, action: Action): Promise<void> {
  const image = await tx.image.findUniqueOrThrow({ where: { id: imageId } })
  const own = isOwn(sourceSchema.parse(image.source))
  const succeeded = action.status === 'success'
  const deleted = { deletedAt: action.finishedAt ?? new Date() }
  switch (action.command) {
    case 'delete_image':
      if (!succeeded) return
      await tx.upload.deleteMany({ where: { imageId } })
      if (own) await tx.image.update({ where: { id: imageId }, data: deleted })
      return
    case 'import_image':
    case 'create_image': {
      // All of the file arrived before this began, and it is gone now either way.
      await tx.upload.deleteMany({ where: { imageId } })
      if (succeeded) return
      // Nothing was made, and nobody wants it any more.
      if (action.errorCode === 'cancelled')
        return void (await tx.image.update({ where: { id: imageId }, data: deleted }))
      const failed = { status: 'failed', progress: 0, step: '', transfer: null, error: action.errorMessage }
      const place = { imageId_hostId: { imageId, hostId: action.hostId } }
      await tx.imageCopy.upsert({
        where: place,
        create: {
          imageId,
          hostId: action.hostId,
          recipeHash: '',
          storedBytes: 0,
          observedAt: new Date(),
          ...failed,
        },
        update: failed,
      })
    }
  }
}
