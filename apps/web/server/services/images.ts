import { HearthError } from '@hearth/shared/errors'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { cancelImage, deleteImage, protectImage, updateImage } from './image-change.ts'
import { imageFromVm, importImage, makeImage, privateAllowed } from './image-make.ts'
import { beginUpload, dropUpload, finishUpload } from './image-upload.ts'
import { imageView, listImages } from './image-view.ts'
import type { PortalServices } from './types.ts'

export function imagesService(context: ServiceContext): PortalServices['images'] {
  const { db, changes } = context
  const list: PortalServices['images']['list'] = (viewer) => listImages(context, viewer)
  return {
    list,
    watch: (viewer, signal) =>
      changes.watch(['images', 'actions', 'hosts', 'vms', 'people'], () => list(viewer), signal),
    get: (viewer, id) => imageView(context, viewer, id),
    build: (viewer, imageUid) => makeImage(context, viewer, { uid: imageUid }),
    retry: (viewer, id) => makeImage(context, viewer, { id }),
    import: (viewer, projectId, input) => importImage(context, viewer, projectId, input),
    fromVm: (viewer, input) => imageFromVm(context, viewer, input),
    beginUpload: (viewer, projectId, input) => beginUpload(context, viewer, projectId, input),
    finishUpload: (viewer, id) => finishUpload(context, viewer, id),
    dropUpload: (viewer, id) => dropUpload(context, viewer, id),
    update: (viewer, projectId, input) => updateImage(context, viewer, projectId, input),
    protect: (viewer, id, deleteProtected) => protectImage(context, viewer, id, deleteProtected),
    cancel: (viewer, id) => cancelImage(context, viewer, id),
    delete: (viewer, id) => deleteImage(context, viewer, id),
    settings: async () => ({ allowPrivateImports: await privateAllowed(db) }),
    async setSettings(viewer, { allowPrivateImports }) {
      await db.$transaction(async (tx) => {
        const changed = await tx.home.updateMany({ where: { id: 1 }, data: { allowPrivateImports } })
        if (changed.count === 0) throw new HearthError('invalid_state', 'Set Hearth up first.')
        await record(tx, {
          kind: 'image.settings',
          summary: allowPrivateImports
            ? 'Allowed images to be fetched from the own network'
            : 'Forbade images to be fetched from the own network',
          actor: actorOf(viewer),
          from: viewer.from,
        })
      })
      return { allowPrivateImports }
    },
  }
}
