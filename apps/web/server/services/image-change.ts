/** Changes of an image that exists: its words, its protection, who may use it; cancelling its making; its deletion. */
import { HearthError } from '@hearth/shared/errors'
import type { Viewer } from '../auth/viewer.ts'
import type { ActionView } from '../views/action.ts'
import type { ImageUpdateInput, ImageView } from '../views/image.ts'
import { actionViews, beginAction } from './actions.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { defaultProjectId } from './home.ts'
import { actionOn, hostForImages, imageAction, ownerFor } from './image-make.ts'
import { isOwn } from './image-rules.ts'
import { findImage, imageView, sourceSchema } from './image-view.ts'

export async function updateImage(
  context: ServiceContext,
  viewer: Viewer,
  projectId: number | null,
  input: ImageUpdateInput,
): Promise<ImageView> {
  await context.db.$transaction(async (tx) => {
    const image = await findImage(tx, { id: input.id })
    const { name, description, deleteProtected, visibility } = input
    const own = isOwn(sourceSchema.parse(image.source))
    if (!own && (name ?? description ?? visibility) !== undefined)
      throw new HearthError(
        'invalid_input',
        'What the catalogue brings keeps its name and is for the whole home.',
      )
    const owner =
      visibility === undefined
        ? undefined
        : await ownerFor(tx, viewer, projectId ?? (await projectFor(context, viewer)), visibility)
    await tx.image.update({
      where: { id: image.id },
      data: {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(deleteProtected === undefined ? {} : { deleteProtected }),
        ...(owner === undefined ? {} : { projectId: owner }),
      },
    })
    await record(tx, {
      kind: 'image.update',
      summary: summaryOf(image.name, input),
      actor: actorOf(viewer),
      from: viewer.from,
      projectId: image.projectId,
    })
  })
  context.changes.publish('images')
  return imageView(context, viewer, input.id)
}

/** Protection is the portal's own: it works while the host is away, too. */
export async function protectImage(
  context: ServiceContext,
  viewer: Viewer,
  id: number,
  deleteProtected: boolean,
): Promise<ActionView> {
  const { db, changes } = context
  const action = await db.$transaction(async (tx) => {
    const image = await findImage(tx, { id })
    const host = await tx.host.findFirst({ orderBy: { id: 'asc' } })
    if (!host) throw new HearthError('host_unavailable', 'The host was not seen yet.')
    await tx.image.update({ where: { id }, data: { deleteProtected } })
    return beginAction(tx, {
      command: 'protect_image',
      viewer,
      projectId: image.projectId ?? (await defaultProjectId(tx)),
      hostId: host.id,
      imageId: id,
      request: null,
      summary: summaryOf(image.name, { id, deleteProtected }),
      step: 'Done',
    })
  })
  changes.publish('images', 'actions')
  const [view] = await actionViews(db, [action])
  return view!
}

/** An image of the whole home that is to belong to a project goes to the administrator's own. */
function projectFor(context: ServiceContext, viewer: Viewer): Promise<number> {
  return context.db.membership
    .findFirstOrThrow({ where: { userId: viewer.userId }, orderBy: { projectId: 'asc' } })
    .then(({ projectId }) => projectId)
}

function summaryOf(was: string, { name, deleteProtected, visibility }: ImageUpdateInput): string {
  if (deleteProtected !== undefined)
    return deleteProtected ? `Protected the image ${was} from deletion` : `Let the image ${was} be deleted`
  if (visibility !== undefined)
    return visibility === 'home'
      ? `Gave the image ${was} to the whole home`
      : `Kept the image ${was} to its project`
  return name !== undefined && name !== was
    ? `Renamed the image ${was} to ${name}`
    : `Changed the image ${was}`
}

export async function deleteImage(context: ServiceContext, viewer: Viewer, id: number): Promise<ActionView> {
  const hostId = await hostForImages(context)
  const view = await imageView(context, viewer, id)
  if (!view.can.delete.ok) throw new HearthError('invalid_state', view.can.delete.why)
  return imageAction(context, viewer, async (tx) => {
    const image = await findImage(tx, { id })
    // Asked for twice in one moment: one of them began.
    const running = await actionOn(tx, id)
    if (running?.command === 'delete_image') return running
    if (running) throw new HearthError('locked', `${image.name} is being made. Cancel that first.`)
    const request = { kind: 'delete_image' as const, imageUid: image.uid }
    return { command: 'delete_image', hostId, image, request, summary: `Deleted the image ${image.name}` }
  })
}

/** Stops what is being built, fetched or copied. The action then ends by itself, soon. */
export async function cancelImage(context: ServiceContext, viewer: Viewer, id: number): Promise<void> {
  // Named now: one of somebody's own is gone as soon as its making has ended.
  const { name } = await findImage(context.db, { id })
  const hostId = await hostForImages(context)
  const running = await actionOn(context.db, id)
  if (!running || running.command === 'delete_image')
    throw new HearthError('invalid_state', 'Nothing is under way that could be cancelled.')
  await context.hosts.cancel(hostId, running.id)
  await record(context.db, {
    kind: 'image.cancel',
    summary: `Cancelled the making of the image ${name}`,
    actor: actorOf(viewer),
    from: viewer.from,
    projectId: running.projectId,
    actionId: running.id,
  })
}
