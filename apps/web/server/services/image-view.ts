/** Images as the portal shows them: reading only. */
import { imageBoots, imageKinds, imageSources, outdatedStep, transferSchema } from '@hearth/shared/image'
import { z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { Image, ImageCopy, Project, Upload } from '../generated/client.ts'
import type { ActionView } from '../views/action.ts'
import type { ImageView } from '../views/image.ts'
import { type Standing, standingOf } from './access.ts'
import { actionViews } from './actions.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { imageAbilities } from './image-rules.ts'

export const imageCommands = [
  'build_image',
  'download_image',
  'import_image',
  'create_image',
  'delete_image',
] as const

const imageInclude = { copies: true, project: true, upload: true } as const
export type ImageRow = Image & { copies: ImageCopy[]; project: Project | null; upload: Upload | null }

const copyStatusSchema = z.enum(['absent', 'building', 'ready', 'failed'])
export const sourceSchema = z.enum(imageSources)

/** The work on images that is under way, by the image's id. */
async function workUnderWay(queries: Queries): Promise<Map<number, ActionView>> {
  const rows = await queries.action.findMany({
    where: { command: { in: [...imageCommands] }, status: 'running' },
    include: { resources: true },
  })
  const views = await actionViews(queries, rows)
  return new Map(
    rows.flatMap((row, index) =>
      row.resources.flatMap(({ resourceType, resourceId }) =>
        resourceType === 'image' ? [[resourceId, views[index]!] as const] : [],
      ),
    ),
  )
}

async function imageViews(
  context: ServiceContext,
  rows: readonly ImageRow[],
  viewer: Viewer,
  standing: Standing,
): Promise<ImageView[]> {
  const { db, hosts } = context
  const host = await db.host.findFirst({ orderBy: { id: 'asc' }, select: { id: true } })
  const hostOnline = host !== null && hosts.isOnline(host.id)
  const work = await workUnderWay(db)
  const used = await db.vm.groupBy({ by: ['imageId'], where: { deletedAt: null }, _count: { _all: true } })
  const usedBy = new Map(used.map(({ imageId, _count }) => [imageId, _count._all]))
  return rows.map((image) => {
    // One host for now: its copy is the image's state.
    const copy = image.copies[0]
    const action = work.get(image.id) ?? null
    const status = statusOf(image, copy, action)
    const facts = {
      name: image.name,
      kind: z.enum(imageKinds).parse(image.kind),
      source: sourceSchema.parse(image.source),
      boot: z.enum(imageBoots).parse(image.boot),
      status,
      deleteProtected: image.deleteProtected,
      outdated: status === 'ready' && copy?.step === outdatedStep,
    }
    const transfer = copy?.transfer ? transferSchema.safeParse(JSON.parse(copy.transfer)) : undefined
    const owns = image.projectId === null ? standing.isAdmin : standing.roleIn(image.projectId) === 'owner'
    return {
      id: image.id,
      uid: image.uid,
      description: image.description,
      version: image.version,
      origin: image.origin,
      project: image.project && { id: image.project.id, name: image.project.name },
      ...facts,
      progress: status === 'building' ? Math.max(copy?.progress ?? 0, 0) : status === 'ready' ? 100 : 0,
      step: copy?.step || (status === 'building' ? (action?.step ?? '') : ''),
      transfer: (status === 'building' && transfer?.data) || null,
      error: status === 'failed' ? (copy?.error ?? 'The host does not have this image.') : null,
      downloadBytes: Number(image.downloadBytes),
      storedBytes: Number(copy?.storedBytes ?? 0),
      diskBytes: copy?.diskBytes == null ? null : Number(copy.diskBytes),
      sha256: copy?.sha256 ?? null,
      cloudInit: image.cloudInit,
      graphical: image.graphical,
      loginUser: image.loginUser,
      minMemoryBytes: Number(image.minMemoryBytes),
      minDiskBytes: Number(image.minDiskBytes),
      usedBy: usedBy.get(image.id) ?? 0,
      createdAt: image.createdAt.toISOString(),
      upload: image.upload && {
        fileName: image.upload.fileName,
        bytes: Number(image.upload.bytes),
        mine: image.upload.userId === viewer.userId,
      },
      action,
      can: imageAbilities({
        ...facts,
        busy: action !== null,
        hostOnline,
        owns,
        forHome: image.projectId === null,
      }),
    }
  })
}

function statusOf(
  image: ImageRow,
  copy: ImageCopy | undefined,
  action: ActionView | null,
): ImageView['status'] {
  const status = copyStatusSchema.catch('failed').parse(copy?.status)
  if (action && action.command !== 'delete_image' && status !== 'ready') return 'building'
  return image.upload ? 'uploading' : status
}

export async function listImages(context: ServiceContext, viewer: Viewer): Promise<ImageView[]> {
  const standing = await standingOf(context.db, viewer)
  const { visible } = standing
  const rows = await context.db.image.findMany({
    where: { deletedAt: null, ...(visible.projectId ? { OR: [{ projectId: null }, visible] } : {}) },
    orderBy: { name: 'asc' },
    include: imageInclude,
  })
  // From the catalogue, but of a host that was not seen yet.
  const known = rows.filter(
    ({ copies, source }) => copies.length > 0 || !['build', 'download'].includes(source),
  )
  return imageViews(context, known, viewer, standing)
}

export async function findImage(
  queries: Queries,
  where: { id: number } | { uid: string },
): Promise<ImageRow> {
  const image = await queries.image.findFirst({ where: { ...where, deletedAt: null }, include: imageInclude })
  if (!image) throw notFound('image')
  return image
}

export async function imageView(context: ServiceContext, viewer: Viewer, id: number): Promise<ImageView> {
  const row = await findImage(context.db, { id })
  const [view] = await imageViews(context, [row], viewer, await standingOf(context.db, viewer))
  return view!
}
