import { randomBytes, randomUUID } from 'node:crypto'
import type { HostInfo } from '@hearth/shared/agent-protocol'
import type { BackupSource } from '@hearth/shared/backup'
import { HearthError } from '@hearth/shared/errors'
import { imageBoots, imageKinds, whyNotBootable } from '@hearth/shared/image'
import { creationDemand } from '@hearth/shared/quota'
import { parseVmSpec, type VmSpec } from '@hearth/shared/vm-spec'
import { z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { Image } from '../generated/client.ts'
import type { VmChange } from '../views/vm.ts'
import { standingOf } from './access.ts'
import {
  type ActionRow,
  actionViews,
  beginAction,
  findRepeated,
  type Idempotency,
  markDeleted,
  requestHash,
} from './actions.ts'
import type { Topic } from './changes.ts'
import type { ServiceContext } from './context.ts'
import { isUniqueViolation } from './errors.ts'
import { requireOpenBridge } from './host-bridges.ts'
import { makeImage } from './image-make.ts'
import { isOwn } from './image-rules.ts'
import { sourceSchema } from './image-view.ts'
import { cryptSha512 } from './password-hash.ts'
import { recount, reserve } from './quota.ts'
import { parseSshPublicKey } from './ssh-public-key.ts'
import type { VmCreateRequest } from './types.ts'
import { chargeHost, settleCharge } from './vm-charge.ts'
import { hostInfoOf, requireSize } from './vm-size.ts'
import { vmView } from './vms.ts'
import { followVolumes, freeVolumes } from './volume-rows.ts'

export async function createVm(
  context: ServiceContext,
  viewer: Viewer,
  projectId: number,
  input: VmCreateRequest,
): Promise<VmChange> {
  const { db } = context
  const { idempotencyKey, password, ...rest } = input
  // Without the password: a plain hash of something a person chose could be guessed.
  const idempotency = { key: idempotencyKey, hash: requestHash({ create: { ...rest, projectId } }) }
  const repeated = await findRepeated(db, viewer, idempotency)
  if (repeated) return changeOf(context, repeated)

  const { hostId, info, image, absent } = await placeFor(context, viewer, input.imageUid, projectId)
  const spec = await specFor(input, image, info)
  requireOpenBridge(await db.host.findUniqueOrThrow({ where: { id: hostId } }), input.bridge)
  return beginCreation(context, viewer, {
    ...{ name: input.name, idempotency },
    insert: async (tx) => {
      const volumes = await freeVolumes(tx, { projectId, hostId }, input.volumes ?? [])
      const withVolumes = volumes.length === 0 ? spec : { ...spec, volumes }
      return insertVm(tx, { spec: withVolumes, input, viewer, projectId, hostId, image, idempotency })
    },
    topics: ['volumes'],
    // The host would fetch it by itself; as an action of its own it is seen among the images, and can be cancelled there.
    beforeHost: absent ? () => makeImage(context, viewer, { uid: image.uid }) : undefined,
  })
}

/** Writes a creation down once, whoever sends the request again, hands it to the host and waits for its first word. */
export async function beginCreation(
  context: ServiceContext,
  viewer: Viewer,
  creation: {
    name: string
    idempotency: Idempotency
    insert: (tx: Queries) => Promise<ActionRow>
    /** What else has changed then. */
    topics?: Topic[]
    /** Once it is written, before the host hears of it. */
    beforeHost?: (() => Promise<unknown>) | undefined
  },
): Promise<VmChange> {
  const { db, hosts, changes } = context
  const { name, idempotency, insert, topics = [], beforeHost } = creation
  let action: ActionRow
  try {
    action = await db.$transaction(insert)
  } catch (error) {
    // The same request twice at once: the one that came second finds the name or the key taken by the first.
    const first = isUniqueViolation(error) ? await findRepeated(db, viewer, idempotency) : null
    if (first) return changeOf(context, first)
    if (isUniqueViolation(error, 'name'))
      throw new HearthError('uniqueness_error', `There is a VM named ${name} already. Choose another name.`)
    throw error
  }
  changes.publish('vms', 'actions', ...topics)
  await beforeHost?.()
  await hosts.dispatch(action.id)
  return settleCreation(context, action)
}

/** A creation that the host refused leaves no VM behind; its action and activity tell what happened. */
async function settleCreation(context: ServiceContext, action: ActionRow): Promise<VmChange> {
  const { db, changes } = context
  const now = await db.action.findUniqueOrThrow({ where: { id: action.id }, include: { resources: true } })
  const vmId = vmIdOf(now)
  const vm = await db.vm.findUniqueOrThrow({ where: { id: vmId } })
  if (now.status === 'error' && vm.observedAt === null) {
    if (vm.deletedAt === null)
      await db.$transaction(async (tx) => {
        await markDeleted(tx, vm, new Date())
        await settleCharge(tx, vmId)
        await recount(tx, vm.projectId)
      })
    changes.publish('vms', 'actions')
    const [view] = await actionViews(db, [now])
    throw new HearthError(view?.error?.code ?? 'internal', view?.error?.message ?? 'The VM was not created.')
  }
  return changeOf(context, now)
}

/** The one host there is, if it is there and has the image or can be waited for to have it. */
export async function placeFor(context: ServiceContext, viewer: Viewer, imageUid: string, projectId: number) {
  const { db, hosts } = context
  const image = await db.image.findUnique({ where: { uid: imageUid }, include: { copies: true } })
  // An image of another project does not exist here.
  if (!image || image.deletedAt !== null || (image.projectId !== null && image.projectId !== projectId))
    throw new HearthError('not_found', `There is no image ${imageUid}.`)
  const host = await db.host.findFirst({ orderBy: { id: 'asc' } })
  if (!host) throw new HearthError('host_unavailable', 'The host is away. Try again when it is back.')
  const info = hostInfoOf(host, hosts.isOnline(host.id))
  const copy = image.copies.find(({ hostId }) => hostId === host.id)
  const ready = copy?.status === 'ready' || copy?.status === 'building'
  // What the catalogue can bring is fetched with the first VM that wants it, for those who may do that.
  const absent = !ready && !isOwn(sourceSchema.parse(image.source))
  if (!ready && !(absent && (await standingOf(db, viewer)).isAdmin))
    throw new HearthError(
      'image_not_ready',
      absent
        ? `${image.name} is not on the host yet. Ask an administrator to build or download it.`
        : `${image.name} is not ready. Look at it among the images.`,
    )
  const why = whyNotBootable({
    name: image.name,
    kind: z.enum(imageKinds).parse(image.kind),
    boot: z.enum(imageBoots).parse(image.boot),
  })
  if (why !== null) throw new HearthError('invalid_state', why)
  return { hostId: host.id, info, image, absent }
}

async function specFor(input: VmCreateRequest, image: Image, info: HostInfo): Promise<VmSpec> {
  const minDisk = Number(image.minDiskBytes)
  // An image without a disk runs from memory; an empty disk beside it is the person's wish.
  const diskBytes = minDisk === 0 ? input.diskBytes : (input.diskBytes ?? minDisk)
  requireSize({ cpus: input.cpus, memoryBytes: input.memoryBytes, diskBytes }, image, info)
  const keys = input.sshKeys.map((key) => parseSshPublicKey(key).line)
  if (!image.cloudInit && (input.user ?? input.password ?? input.userData ?? keys[0]) !== undefined)
    throw new HearthError(
      'invalid_input',
      `${image.name} takes no user, password or SSH key: it has no cloud-init.`,
    )
  const user = input.user ?? image.loginUser
  if (image.cloudInit && !user) throw new HearthError('invalid_input', 'Name the user to log in as.')
  const display =
    input.display === undefined
      ? (image.graphical || image.kind === 'iso') && { keyboard: 'us' }
      : input.display
  return parseVmSpec({
    v: 1,
    vmUid: randomUUID(),
    generation: 1,
    name: input.name,
    cpus: input.cpus,
    memoryBytes: input.memoryBytes,
    image: image.uid,
    ...(diskBytes === undefined ? {} : { diskBytes }),
    mac: newMac(),
    ...(input.bridge ? { bridge: input.bridge } : {}),
    ...(image.cloudInit
      ? {
          cloudInit: {
            user,
            ...(input.password === undefined ? {} : { passwordHash: await cryptSha512(input.password) }),
            sshAuthorizedKeys: keys,
            ...(input.userData === undefined ? {} : { userData: input.userData }),
          },
        }
      : {}),
    startAtBoot: input.startAtBoot,
    ...(display ? { display } : {}),
  })
}

/**
 * A specification for a new VM like that one: the same inside, with a name, an address and an identity of its own. What
 * somebody gave to that VM alone stays with it: its other disks, its ports, the folders of its host.
 */
export function likeAnother(spec: VmSpec, name: string) {
  return {
    ...spec,
    ...{ volumes: undefined, forwards: undefined, folders: undefined },
    ...{ vmUid: randomUUID(), generation: 1, name, mac: newMac(), startAtBoot: false },
  }
}

/** 52:54:00 is the prefix people know from virtual machines; locally administered, so nobody else's. */
function newMac(): string {
  return `52:54:00:${randomBytes(3).toString('hex').match(/../g)!.join(':')}`
}

export async function insertVm(
  tx: Queries,
  begin: {
    spec: VmSpec
    input: Pick<VmCreateRequest, 'start' | 'labels'>
    viewer: Viewer
    projectId: number
    hostId: number
    image: Image
    idempotency: Idempotency
    /** What its disk comes from instead of the image. */
    snapshot?: { uid: string; name: string }
    /** The same with volumes, which are made with it. */
    backup?: { uid: string; name: string; volumes: BackupSource['volumes'] }
  },
): Promise<ActionRow> {
  const { spec, input, viewer, projectId, hostId, image } = begin
  const diskBytes = spec.diskBytes === undefined ? null : BigInt(spec.diskBytes)
  const figures = { cpus: spec.cpus, memoryBytes: spec.memoryBytes, diskBytes: spec.diskBytes ?? null }
  await reserve(tx, projectId, creationDemand(figures, input.start))
  const vm = await tx.vm.create({
    data: {
      vmUid: spec.vmUid,
      projectId,
      hostId,
      imageId: image.id,
      name: spec.name,
      cpus: spec.cpus,
      memoryBytes: BigInt(spec.memoryBytes),
      diskBytes,
      mac: spec.mac,
      loginUser: spec.cloudInit?.user ?? null,
      startAtBoot: spec.startAtBoot,
      spec: JSON.stringify(spec),
      generation: spec.generation,
      desiredState: input.start ? 'running' : 'stopped',
    },
  })
  if (diskBytes !== null) {
    await tx.disk.create({ data: { projectId, hostId, vmId: vm.id, role: 'system', bytes: diskBytes } })
  }
  if (input.start) await chargeHost(tx, vm)
  await followVolumes(tx, vm.id, spec)
  for (const [key, value] of Object.entries(input.labels ?? {}))
    await tx.label.create({ data: { resourceType: 'vm', resourceId: vm.id, key, value } })
  const action = await beginAction(tx, {
    command: 'create_vm',
    viewer,
    projectId,
    hostId,
    vmId: vm.id,
    imageId: image.id,
    request: {
      kind: 'create',
      spec,
      start: input.start,
      ...(begin.snapshot ? { snapshotUid: begin.snapshot.uid } : {}),
      ...(begin.backup ? { backup: { backupUid: begin.backup.uid, volumes: begin.backup.volumes } } : {}),
    },
    summary: `Created the VM ${vm.name} from ${begin.backup?.name ?? (begin.snapshot ? `the snapshot ${begin.snapshot.name}` : image.name)}`,
    step: 'Asking the host',
    idempotency: begin.idempotency,
  })
  await tx.vm.update({ where: { id: vm.id }, data: { heldByActionId: action.id } })
  return action
}

function vmIdOf(action: ActionRow): number {
  const resource = action.resources.find(({ resourceType }) => resourceType === 'vm')
  if (!resource) throw new Error(`action ${action.id} has no VM`)
  return resource.resourceId
}

export async function changeOf(context: ServiceContext, action: ActionRow): Promise<VmChange> {
  const now = await context.db.action.findUniqueOrThrow({
    where: { id: action.id },
    include: { resources: true },
  })
  const [view] = await actionViews(context.db, [now])
  return { vm: await vmView(context, vmIdOf(now)), action: view! }
}
