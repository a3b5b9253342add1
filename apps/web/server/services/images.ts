import { HearthError } from '@hearth/shared/errors'
import { z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { ActionView } from '../views/action.ts'
import type { ImageView } from '../views/image.ts'
import { standingOf } from './access.ts'
import { actionViews, beginAction } from './actions.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { defaultProjectId } from './home.ts'
import type { PortalServices } from './types.ts'

const statusSchema = z.enum(['absent', 'building', 'ready', 'failed'])

async function imageViews({ db }: ServiceContext, viewer: Viewer): Promise<ImageView[]> {
  const { visible } = await standingOf(db, viewer)
  const where = visible.projectId ? { OR: [{ projectId: null }, visible] } : {}
  const images = await db.image.findMany({ where, orderBy: { name: 'asc' }, include: { copies: true } })
  const running = await db.action.findMany({
    where: { command: 'build_image', status: 'running' },
    include: { resources: true },
  })
  const builds = await actionViews(db, running)
  return images.flatMap((image) => {
    // One host for now: its copy is the image's state.
    const copy = image.copies[0]
    if (!copy) return []
    const action = builds.find((build) => build.image?.uid === image.uid) ?? null
    const status = statusSchema.parse(copy.status)
    return [
      {
        id: image.id,
        uid: image.uid,
        name: image.name,
        description: image.description,
        status: action && status !== 'ready' ? ('building' as const) : status,
        progress: copy.progress,
        step: copy.step,
        error: copy.error,
        storedBytes: Number(copy.storedBytes),
        cloudInit: image.cloudInit,
        graphical: image.graphical,
        loginUser: image.loginUser,
        minMemoryBytes: Number(image.minMemoryBytes),
        minDiskBytes: Number(image.minDiskBytes),
        createdAt: image.createdAt.toISOString(),
        action,
      },
    ]
  })
}

/** Building an image that is being built joins the build under way. */
async function buildImage(context: ServiceContext, viewer: Viewer, imageUid: string): Promise<ActionView> {
  const { db, hosts, changes } = context
  const host = await db.host.findFirst({ orderBy: { id: 'asc' } })
  if (!host || !hosts.isOnline(host.id))
    throw new HearthError('host_unavailable', 'The host is away. Try again when it is back.')
  const { action, isNew } = await db.$transaction(async (tx) => {
    const image = await tx.image.findUnique({ where: { uid: imageUid } })
    if (!image) throw notFound('image')
    const running = await tx.action.findFirst({
      where: {
        command: 'build_image',
        status: 'running',
        hostId: host.id,
        resources: { some: { resourceType: 'image', resourceId: image.id } },
      },
      include: { resources: true },
    })
    if (running) return { action: running, isNew: false }
    const begun = await beginAction(tx, {
      command: 'build_image',
      viewer,
      projectId: await defaultProjectId(tx),
      hostId: host.id,
      imageId: image.id,
      request: { kind: 'build', imageUid },
      summary: `Built the image ${image.name}`,
      step: 'Asking the host',
    })
    return { action: begun, isNew: true }
  })
  changes.publish('images', 'actions')
  if (isNew) await hosts.dispatch(action.id)
  const now = await db.action.findUniqueOrThrow({ where: { id: action.id }, include: { resources: true } })
  const [view] = await actionViews(db, [now])
  if (view?.error && view.progress === 0) throw new HearthError(view.error.code, view.error.message)
  return view!
}

export function imagesService(context: ServiceContext): PortalServices['images'] {
  const list: PortalServices['images']['list'] = (viewer) => imageViews(context, viewer)
  return {
    list,
    watch: (viewer, signal) =>
      context.changes.watch(['images', 'actions', 'people'], () => list(viewer), signal),
    build: (viewer, imageUid) => buildImage(context, viewer, imageUid),
  }
}
