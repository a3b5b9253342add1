/** Writes what a host reports into the observed columns. What should be is only followed, never invented. */
import type { HostInfo, VmReport } from '@hearth/shared/agent-protocol'
import type { ImageReport } from '@hearth/shared/image'
import type { Database } from '../db/client.ts'
import type { Vm } from '../generated/client.ts'
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
    const facts = {
      name: report.name,
      description: report.description,
      cloudInit: report.cloudInit,
      graphical: report.graphical ?? false,
      loginUser: report.loginUser,
      minMemoryBytes: BigInt(report.minMemoryBytes),
      minDiskBytes: BigInt(report.minDiskBytes),
    }
    const image = await tx.image.upsert({
      where: { uid: report.imageUid },
      create: { uid: report.imageUid, ...facts },
      update: facts,
    })
    const copy = {
      recipeHash: report.recipeHash,
      status: report.status,
      progress: report.progress,
      step: report.step,
      error: report.error,
      storedBytes: BigInt(report.storedBytes),
      observedAt: new Date(),
    }
    await tx.imageCopy.upsert({
      where: { imageId_hostId: { imageId: image.id, hostId } },
      create: { imageId: image.id, hostId, ...copy },
      update: copy,
    })
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
    await settleCharge(tx, vm.id)
    await tx.disk.updateMany({
      where: { vmId: vm.id, role: 'system' },
      data: { usedBytes: BigInt(report.diskUsedBytes) },
    })
    return true
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
