/**
 * Uploads: the portal knows who may upload what, the bytes go past it to the host. What has arrived is the host's
 * answer (`Upload-Offset`), never the portal's memory, so an upload goes on after any break on any side.
 */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import { type ImageOrigin, imageOriginSchema } from '@hearth/shared/image'
import type { Viewer } from '../auth/viewer.ts'
import type { ActionView } from '../views/action.ts'
import type { ImageUploadInput, ImageView } from '../views/image.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { hostForImages, imageAction, importOf, insertOwn } from './image-make.ts'
import { findImage, imageView } from './image-view.ts'

/** Makes a place for it; the bytes follow to `/uploads/<id of the image>`. */
export async function beginUpload(
  context: ServiceContext,
  viewer: Viewer,
  projectId: number,
  input: ImageUploadInput,
): Promise<ImageView> {
  const hostId = await hostForImages(context)
  const { fileName, bytes } = input
  const imageId = await context.db.$transaction(async (tx) => {
    const uploadUid = randomUUID()
    const from: ImageOrigin = { type: 'upload', uploadUid, fileName, bytes, checksum: input.checksum ?? null }
    const image = await insertOwn(tx, viewer, projectId, input, {
      ...{ source: 'upload', origin: fileName, request: JSON.stringify(from) },
    })
    await tx.upload.create({
      data: { uploadUid, imageId: image.id, hostId, userId: viewer.userId, fileName, bytes: BigInt(bytes) },
    })
    await record(tx, {
      kind: 'image.upload',
      summary: `Began to upload ${fileName} as the image ${image.name}`,
      actor: actorOf(viewer),
      from: viewer.from,
      projectId: image.projectId,
    })
    return image.id
  })
  context.changes.publish('images')
  return imageView(context, viewer, imageId)
}

export interface UploadGrant {
  readonly hostId: number
  readonly uploadUid: string
  readonly bytes: number
}

/** Whoever began an upload goes on with it, and nobody else. */
export async function uploadGrant(
  context: Pick<ServiceContext, 'db'>,
  viewer: Viewer,
  imageId: number,
): Promise<UploadGrant> {
  const upload = await context.db.upload.findUnique({
    where: { imageId },
    include: { image: { select: { projectId: true } } },
  })
  if (!upload || upload.userId !== viewer.userId) throw notFound('upload')
  // A token reaches one project, whatever else its maker may do.
  if (viewer.token && upload.image.projectId !== viewer.token.projectId) throw notFound('upload')
  return { hostId: upload.hostId, uploadUid: upload.uploadUid, bytes: Number(upload.bytes) }
}

/** The whole file is on the host: it is checked and becomes an image there. */
export async function finishUpload(context: ServiceContext, viewer: Viewer, id: number): Promise<ActionView> {
  const { hostId, uploadUid, bytes } = await uploadGrant(context, viewer, id)
  const here = await context.hosts.uploadOffset(hostId, uploadUid)
  if (here !== bytes)
    throw new HearthError(
      'invalid_state',
      'Not all of the file has arrived yet. Go on with the upload first.',
    )
  return imageAction(context, viewer, async (tx) => {
    const image = await findImage(tx, { id })
    if (image.request === null) throw notFound('upload')
    return importOf(image, imageOriginSchema.parse(JSON.parse(image.request)), hostId)
  })
}

/** Gives an upload up: nothing of it is kept. */
export async function dropUpload(context: ServiceContext, viewer: Viewer, id: number): Promise<void> {
  const { db, hosts, changes } = context
  const image = await findImage(db, { id })
  if (!image.upload) throw notFound('upload')
  // A host that is away forgets by itself what nobody goes on with.
  await hosts.dropUpload(image.upload.hostId, image.upload.uploadUid).catch(() => undefined)
  await db.$transaction(async (tx) => {
    await tx.upload.deleteMany({ where: { imageId: id } })
    await tx.image.update({ where: { id }, data: { deletedAt: new Date() } })
    await record(tx, {
      kind: 'image.cancel',
      summary: `Gave up the upload of the image ${image.name}`,
      actor: actorOf(viewer),
      from: viewer.from,
      projectId: image.projectId,
    })
  })
  changes.publish('images')
}
