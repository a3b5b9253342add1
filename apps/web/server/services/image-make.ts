/** How images come to be: built, downloaded, taken in from an address or an upload, made from a VM. Each is an action. */
import { randomBytes } from 'node:crypto'
import type { ActionCommand } from '@hearth/shared/action'
import { HearthError } from '@hearth/shared/errors'
import { type ImageImport, type ImageOrigin, imageOriginSchema, type OwnImage } from '@hearth/shared/image'
import { GIB } from '@hearth/shared/units'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { Image } from '../generated/client.ts'
import type { ActionView } from '../views/action.ts'
import type { ImageFacts, ImageFromVmInput, ImageImportInput, Visibility } from '../views/image.ts'
import { standingOf } from './access.ts'
import { type ActionRow, actionViews, beginAction } from './actions.ts'
import type { AgentRequest, ServiceContext } from './context.ts'
import { defaultProjectId } from './home.ts'
import { isOwn } from './image-rules.ts'
import { findImage, imageCommands, sourceSchema } from './image-view.ts'
import { change } from './vm-change.ts'

/** The one host there is, if it is there. */
export async function hostForImages({ db, hosts }: ServiceContext): Promise<number> {
  const host = await db.host.findFirst({ orderBy: { id: 'asc' } })
  if (!host || !hosts.isOnline(host.id))
    throw new HearthError('host_unavailable', 'The host is away. Try again when it is back.')
  return host.id
}

export async function actionOn(queries: Queries, imageId: number): Promise<ActionRow | null> {
  return queries.action.findFirst({
    where: {
      command: { in: [...imageCommands] },
      status: 'running',
      resources: { some: { resourceType: 'image', resourceId: imageId } },
    },
    include: { resources: true },
  })
}

/** Records and sends an action on an image; the host's refusal is the caller's answer. */
export async function imageAction(
  context: ServiceContext,
  viewer: Viewer,
  plan: (
    tx: Queries,
  ) => Promise<
    | ActionRow
    | { command: ActionCommand; hostId: number; image: Image; request: AgentRequest; summary: string }
  >,
): Promise<ActionView> {
  const { db, hosts, changes } = context
  const { action, isNew } = await db.$transaction(async (tx) => {
    const planned = await plan(tx)
    if ('resources' in planned) return { action: planned, isNew: false }
    const { image, ...rest } = planned
    const projectId = image.projectId ?? (await defaultProjectId(tx))
    const begun = { ...rest, viewer, projectId, imageId: image.id, step: 'Asking the host' }
    return { action: await beginAction(tx, begun), isNew: true }
  })
  changes.publish('images', 'actions')
  if (isNew) await hosts.dispatch(action.id)
  const now = await db.action.findUniqueOrThrow({ where: { id: action.id }, include: { resources: true } })
  const [view] = await actionViews(db, [now])
  if (view?.error && view.progress === 0) throw new HearthError(view.error.code, view.error.message)
  return view!
}

/** Building an image that is being built joins the build under way; one of somebody's own is tried again. */
export async function makeImage(
  context: ServiceContext,
  viewer: Viewer,
  where: { uid: string } | { id: number },
): Promise<ActionView> {
  const hostId = await hostForImages(context)
  return imageAction(context, viewer, async (tx) => {
    const image = await findImage(tx, where)
    const running = await actionOn(tx, image.id)
    if (running?.command === 'delete_image')
      throw new HearthError('locked', `${image.name} is being deleted. Wait until that is done.`)
    if (running) return running
    const source = sourceSchema.parse(image.source)
    if (!isOwn(source)) {
      const command = source === 'download' ? 'download_image' : 'build_image'
      const verb = source === 'download' ? 'Downloaded' : 'Built'
      const request: AgentRequest = { kind: 'build', imageUid: image.uid }
      return { command, hostId, image, request, summary: `${verb} the image ${image.name}` }
    }
    if (image.request === null || image.upload)
      throw new HearthError('invalid_state', `${image.name} cannot be tried again. Delete it and begin anew.`)
    const from = imageOriginSchema.parse(JSON.parse(image.request))
    if (from.type === 'upload')
      throw new HearthError(
        'invalid_state',
        'The uploaded file is gone. Delete this image and upload it again.',
      )
    // What the home's administrators decided since counts now.
    const allowPrivate = await privateAllowed(tx)
    return importOf(image, { ...from, allowPrivate }, hostId)
  })
}

export async function importImage(
  context: ServiceContext,
  viewer: Viewer,
  projectId: number,
  input: ImageImportInput,
): Promise<ActionView> {
  const hostId = await hostForImages(context)
  return imageAction(context, viewer, async (tx) => {
    const from: ImageOrigin = {
      ...{ type: 'address', url: input.url, checksum: input.checksum ?? null },
      allowPrivate: await privateAllowed(tx),
    }
    const image = await insertOwn(tx, viewer, projectId, input, {
      ...{ source: 'import', origin: input.url, request: JSON.stringify(from) },
    })
    return importOf(image, from, hostId)
  })
}

export function importOf(image: Image, from: ImageImport['from'], hostId: number) {
  const request: AgentRequest = { kind: 'import', import: { image: ownImage(image), from } }
  const summary =
    from.type === 'address'
      ? `Imported the image ${image.name} from ${new URL(from.url).host}`
      : `Took in the image ${image.name} from the upload ${from.fileName}`
  return { command: 'import_image' as const, hostId, image, request, summary }
}

/** An image from a stopped VM's disk; the VM is held until it is copied. */
export async function imageFromVm(
  context: ServiceContext,
  viewer: Viewer,
  input: ImageFromVmInput,
): Promise<ActionView> {
  const action = await change(context, viewer, {
    what: 'resize',
    command: 'create_image',
    id: input.vmId,
    idempotencyKey: undefined,
    check(vm) {
      if (vm.diskBytes === null)
        throw new HearthError(
          'invalid_state',
          `${vm.name} has no disk: there is nothing an image could be made of.`,
        )
    },
    async plan(vm, tx) {
      const spec = parseVmSpec(JSON.parse(vm.spec))
      const base = await tx.image.findUniqueOrThrow({ where: { id: vm.imageId } })
      const image = await insertOwn(
        tx,
        viewer,
        vm.projectId,
        {
          ...input,
          version: base.version,
          cloudInit: spec.cloudInit !== undefined,
          loginUser: vm.loginUser,
          minMemoryBytes: Number(base.minMemoryBytes),
        },
        { source: 'vm', origin: vm.name, boot: base.boot, minDiskBytes: vm.diskBytes ?? BigInt(0) },
      )
      return {
        request: { kind: 'create_image', vmUid: vm.vmUid, image: ownImage(image) },
        summary: `Made the image ${image.name} from ${vm.name}`,
        imageId: image.id,
      }
    },
  })
  context.changes.publish('images')
  const now = await context.db.action.findUniqueOrThrow({
    where: { id: action.id },
    include: { resources: true },
  })
  const [view] = await actionViews(context.db, [now])
  if (view?.error && view.progress === 0) throw new HearthError(view.error.code, view.error.message)
  return view!
}

export async function privateAllowed(queries: Queries): Promise<boolean> {
  const home = await queries.home.findUnique({ where: { id: 1 } })
  return home?.allowPrivateImports ?? false
}

/** Refuses whoever may not show an image to the whole home; returns the project it is to belong to. */
export async function ownerFor(
  queries: Queries,
  viewer: Viewer,
  projectId: number,
  visibility: Visibility,
): Promise<number | null> {
  if (visibility === 'project') return projectId
  if ((await standingOf(queries, viewer)).isAdmin) return null
  throw new HearthError(
    'forbidden',
    'Only an administrator can give an image to the whole home. Choose your project.',
  )
}

export async function insertOwn(
  tx: Queries,
  viewer: Viewer,
  projectId: number,
  facts: ImageFacts,
  more: {
    source: 'import' | 'upload' | 'vm'
    origin: string
    request?: string
    boot?: string
    minDiskBytes?: bigint
  },
): Promise<Image> {
  const { name, description, version, visibility, cloudInit, loginUser, minMemoryBytes } = facts
  if (cloudInit && loginUser === null)
    throw new HearthError(
      'invalid_input',
      'Name the user that cloud-init makes in this image, such as "debian".',
    )
  return tx.image.create({
    data: {
      ...{ name, description, version, cloudInit, ...more },
      loginUser: cloudInit ? loginUser : null,
      projectId: await ownerFor(tx, viewer, projectId, visibility),
      uid: await freeUid(tx, name),
      minMemoryBytes: BigInt(minMemoryBytes),
      minDiskBytes: more.minDiskBytes ?? BigInt(GIB),
      boot: more.boot ?? 'firmware',
    },
  })
}

/** A slug of the name, which API clients choose images by; never one that any image ever had. */
async function freeUid(tx: Queries, name: string): Promise<string> {
  const slug =
    name
      .normalize('NFKD')
      .toLowerCase()
      .replaceAll(/[^a-z0-9.]+/g, '-')
      .replaceAll(/[.-]*(?:\.-|-\.|\.\.)[.-]*/g, '-')
      .replaceAll(/^[.-]+|[.-]+$/g, '')
      .slice(0, 48)
      .replace(/[.-]+$/, '') || 'image'
  for (let uid = slug; ; uid = `${slug}-${randomBytes(3).toString('hex')}`)
    if ((await tx.image.count({ where: { uid } })) === 0) return uid
}

function ownImage(image: Image): OwnImage {
  const { name, description, version, cloudInit, loginUser } = image
  return {
    ...{ imageUid: image.uid, name, description, version, cloudInit, loginUser },
    minMemoryBytes: Number(image.minMemoryBytes),
    minDiskBytes: Number(image.minDiskBytes),
  }
}
