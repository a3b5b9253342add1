/** Writes what a host reports into the observed columns. What should be is only followed, never invented. */
import type { HostInfo, VmReport } from '@hearth/shared/agent-protocol'
import type { ImageReport } from '@hearth/shared/image'
import type { Database, Queries } from '../db/client.ts'
import type { Image, Vm } from '../generated/client.ts'
import { actorOf, record } from '../services/activity.ts'
import { isOwn } from '../services/image-rules.ts'
import { settleCharge } from '../services/vm-charge.ts'

export async function observeHost(db: Database, hostId: number, info: HostInfo): Promise<void> {
  await db.$transaction(async (tx) => {
    const taken = await tx.host.count({ where: { name: info.hostname, id: { not: hostId } } })
    await tx.host.update({
      where: { id: hostId },
      data: {
        info: JSON.stringify(info),
        lastSeenAt: new Date(),
        ...(taken === 0 && info.hostname !== '' ? { name: info.hostname } : {}),
      },
    })
  })
}

export async function observeImage(db: Database, hostId: number, report: ImageReport): Promise<void> {
  await db.$transaction(async (tx) => {
    const image = isOwn(report.source) ? await ownImage(tx, report) : await catalogueImage(tx, report)
    if (!image) return
    const copy = {
      recipeHash: report.recipeHash,
      status: report.status,
      progress: report.progress,
      step: report.step,
      error: report.error,
      storedBytes: BigInt(report.storedBytes),
      sha256: report.sha256,
      diskBytes: report.diskBytes === null ? null : BigInt(report.diskBytes),
      transfer: report.transfer && JSON.stringify(report.transfer),
      observedAt: new Date(),
    }
    await tx.imageCopy.upsert({
      where: { imageId_hostId: { imageId: image.id, hostId } },
      create: { imageId: image.id, hostId, ...copy },
      update: copy,
    })
  })
}

/** What the catalogue brings is everybody's, and its words are the recipe's. */
function catalogueImage(tx: Queries, report: ImageReport): Promise<Image> {
  const facts = {
    name: report.name,
    description: report.description,
    ...found(report),
    graphical: report.graphical ?? false,
    source: report.source,
    version: report.version,
    origin: report.origin,
    downloadBytes: BigInt(report.downloadBytes),
    minMemoryBytes: BigInt(report.minMemoryBytes),
  }
  const where = { uid: report.imageUid }
  return tx.image.upsert({ where, create: { ...where, ...facts }, update: facts })
}

/**
 * An image of somebody's own: whose it is and what it is called is written here alone. One that the portal does not
 * know (any more) is nobody's, and shown to nobody.
 */
async function ownImage(tx: Queries, report: ImageReport): Promise<Image | null> {
  const image = await tx.image.findFirst({ where: { uid: report.imageUid, deletedAt: null } })
  if (!image || report.status !== 'ready') return image
  return tx.image.update({ where: { id: image.id }, data: found(report) })
}

/** What shows only when the file was looked at. */
const found = ({ kind, boot, cloudInit, loginUser, minDiskBytes }: ImageReport) => ({
  ...{ kind, boot, cloudInit, loginUser, minDiskBytes: BigInt(minDiskBytes) },
})

/** The host does not have it, nor anything of it. Its row stays until somebody deletes it. */
export async function observeImageAbsence(
  db: Database,
  hostId: number,
  image: { uid: string | { notIn: string[] } },
): Promise<void> {
  await db.imageCopy.updateMany({
    where: { hostId, image, status: { in: ['ready', 'building'] } },
    data: {
      ...{ status: 'failed', progress: 0, step: '', transfer: null, storedBytes: 0, observedAt: new Date() },
      error: 'The host does not have this image any more.',
    },
  })
}

/** Returns false when the host has a VM that the portal does not know (any more). */
export async function observeVm(db: Database, hostId: number, report: VmReport): Promise<boolean> {
  return db.$transaction(async (tx) => {
    const vm = await tx.vm.findUnique({ where: { vmUid: report.vmUid } })
    if (!vm || vm.hostId !== hostId || vm.deletedAt !== null) return false
    await tx.vm.update({
      where: { id: vm.id },
      data: {
        observedState: report.state,
        observedSince: new Date(report.since),
        observedGeneration: report.generation,
        observedExitReason: report.exitReason,
        observedPanicked: report.panicked,
        observedDisplay: report.display ?? false,
        observedAddresses: JSON.stringify(report.addresses),
        observedDiskUsed: BigInt(report.diskUsedBytes),
        observedAt: new Date(report.observedAt),
        ...followed(vm, report),
      },
    })
    await noteWatchdog(tx, vm, report)
    await settleCharge(tx, vm.id)
    await tx.disk.updateMany({
      where: { vmId: vm.id, role: 'system' },
      data: { usedBytes: BigInt(report.diskUsedBytes) },
    })
    return true
  })
}

/** Its host says again and again when it was, so long as the VM runs: the activity tells of each time once. */
async function noteWatchdog(tx: Queries, vm: Vm, { watchdogAt }: VmReport): Promise<void> {
  if (watchdogAt === undefined) return
  const at = new Date(watchdogAt)
  const known = await tx.activity.count({ where: { vmId: vm.id, kind: 'vm.watchdog', at } })
  if (known > 0) return
  await record(tx, {
    kind: 'vm.watchdog',
    summary: `${vm.name} hung: its guest did not reload its watchdog`,
    actor: actorOf(null),
    from: null,
    ...{ projectId: vm.projectId, vmId: vm.id, at },
  })
}

/**
 * A guest that powers itself off, or one that its host started after a power cut, is no difference to be mended:
 * while nobody asks for anything, what should be follows what is. A crash stays a difference.
 */
function followed(vm: Vm, { state }: VmReport): { desiredState?: string } {
  if (vm.heldByActionId !== null) return {}
  if ((state === 'stopped' || state === 'suspended') && vm.desiredState === 'running')
    return { desiredState: 'stopped' }
  if (state === 'running' && vm.desiredState === 'stopped') return { desiredState: 'running' }
  return {}
}

/** The host no longer has it. Its row and its name stay until somebody deletes it. */
export async function observeAbsence(
  db: Database,
  hostId: number,
  where: { vmUid: string } | { notIn: string[] },
): Promise<void> {
  await db.$transaction(async (tx) => {
    const gone = await tx.vm.findMany({
      where: {
        hostId,
        deletedAt: null,
        observedState: { not: null },
        vmUid: 'vmUid' in where ? where.vmUid : { notIn: where.notIn },
      },
      select: { id: true },
    })
    for (const { id } of gone) {
      await tx.vm.update({
        where: { id },
        data: { observedState: null, observedAddresses: '[]', observedAt: new Date() },
      })
      await settleCharge(tx, id)
    }
  })
}
