/**
 * Making a VM: its folder first, then its files, then its place in the network, then its start. Every step may
 * be done again after a crash; until the last file is there the folder says `creating`.
 */
import { chmod, rm, stat, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { BackupSource } from '@hearth/shared/backup'
import { creationSteps as steps } from '@hearth/shared/creation'
import { HearthError } from '@hearth/shared/errors'
import { whyNotBootable } from '@hearth/shared/image'
import { formatBytes } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { type ActionProgress, throwIfAborted } from '../actions/actions.ts'
import { type BackupContext, dropVolumes, fillFromBackup } from '../backup/vm-backup.ts'
import { requireMemoryNow, requireSpace } from '../host/capacity.ts'
import { copySparse } from '../image/copy-file.ts'
import type { ImageCache, ImageFiles } from '../image/image-cache.ts'
import type { ImageCatalogue } from '../image/image-catalogue.ts'
import type { StoredImage } from '../image/image-store.ts'
import type { GuestNetwork } from '../network/guest-network.ts'
import { seedDocuments } from '../seed/cloud-init.ts'
import { writeSeedIso } from '../seed/seed-iso.ts'
import type { SnapshotStore } from '../snapshot/snapshot-store.ts'
import { fillFromSnapshot } from '../snapshot/vm-snapshot.ts'
import { syncFolder, writeFileAtomic } from '../store/atomic-file.ts'
import type { VmFiles, VmRecord, VmStore } from '../store/vm-store.ts'
import { requireBoot, startsDirectly } from './boot-options.ts'
import { deleteVm } from './change-vm.ts'
import type { Vm } from './vm.ts'

/** What is asked for; the disks come from the image unless something else is named. */
export interface Creation {
  spec: VmSpec
  start: boolean
  snapshotUid?: string | undefined
  backup?: BackupSource | undefined
}

export interface CreateContext extends BackupContext {
  store: VmStore
  catalogue: ImageCatalogue
  cache: ImageCache
  network: GuestNetwork
  snapshots: SnapshotStore
}

export function newRecord(address: string | null): VmRecord {
  return {
    v: 1,
    phase: 'creating',
    desired: 'stopped',
    process: null,
    passt: null,
    exit: null,
    panicked: false,
    address,
    boot: null,
  }
}

export async function createVm(
  context: CreateContext,
  { spec, start, snapshotUid, backup }: Creation,
  progress: ActionProgress,
): Promise<void> {
  const { vms, store, catalogue, cache, network } = context
  const { cancelled } = progress
  try {
    let vm = vms.find(spec.vmUid)
    if (vm?.record.phase !== 'ready') {
      throwIfAborted(cancelled)
      if (backup) vm = await fromBackup(vm, backup)
      else vm = snapshotUid === undefined ? await fromImage(vm) : await fromSnapshot(vm, snapshotUid)
      await vm.measure()
      throwIfAborted(cancelled)
      progress.report(90, steps.network)
      await vms.publishGuests()
      throwIfAborted(cancelled)
      await vm.setRecord({ phase: 'ready' })
      vm.setState('stopped')
    }
    throwIfAborted(cancelled)
    await startCreated(vm, start, progress)
    throwIfAborted(cancelled)
  } catch (error) {
    const left = vms.find(spec.vmUid)
    // One that is made and only did not start stays: what is wrong with it can be looked at and mended.
    if (left && (cancelled.aborted || left.record.phase !== 'ready')) {
      if (cancelled.aborted) progress.report(99, steps.removing)
      await discard(context, left)
      if (backup) await dropVolumes(context.volumes, backup)
    }
    throwIfAborted(cancelled)
    throw error
  }

  async function fromImage(begun: Vm | undefined): Promise<Vm> {
    progress.report(1, steps.lookingForImage)
    const image = await catalogue.obtain(spec.image, cancelled, (percent) =>
      progress.report(1 + percent * 0.45, steps.waitingForImage),
    )
    requireSuits(spec, image)
    await requireSpace(dirname(store.files(spec.vmUid).folder), image.storedBytes)
    throwIfAborted(cancelled)
    const created = begun ?? (await createFolder(context, spec))
    await cache.use(
      image,
      { cancelled, onProgress: (fraction) => progress.report(46 + fraction * 14, steps.fetchingImage) },
      async (files) =>
        created.setRecord({ boot: await writeImageFiles(created.files, spec, files, progress) }),
    )
    return created
  }

  async function fromSnapshot(begun: Vm | undefined, uid: string): Promise<Vm> {
    const created = begun ?? (await createFolder(context, spec))
    await fillFromSnapshot(context.snapshots, created, uid, progress)
    return created
  }

  async function fromBackup(begun: Vm | undefined, source: BackupSource): Promise<Vm> {
    const created = begun ?? (await createFolder(context, spec))
    await fillFromBackup(context, created, source, progress)
    return created
  }

  async function createFolder({ vms, store }: CreateContext, spec: VmSpec): Promise<Vm> {
    const taken = vms.all().flatMap((other) => other.record.address ?? [])
    const record = newRecord(network.chooseAddress(taken))
    // Known before it is on disk: two creations at once must not choose one address.
    const created = vms.add(spec, record)
    try {
      await store.create({ spec, record })
    } catch (error) {
      vms.drop(spec.vmUid)
      throw error
    }
    created.setState('creating')
    return created
  }
}

/** The last step. A power off meanwhile is no failure: the VM is made, and stays off. */
export async function startCreated(vm: Vm, start: boolean, progress: ActionProgress): Promise<void> {
  if (!start || progress.signal.aborted || vm.hasProcess || vm.record.exit !== null) return
  progress.report(93, steps.starting)
  requireMemoryNow(vm.spec.memoryBytes)
  // Before there is a monitor the start itself looks at the signal.
  const stop = () => void vm.powerOff().catch(() => undefined)
  progress.cancelled.addEventListener('abort', stop, { once: true })
  try {
    await vm.start(progress.signal)
  } catch (error) {
    if (!(error instanceof HearthError && error.code === 'cancelled')) throw error
  } finally {
    progress.cancelled.removeEventListener('abort', stop)
  }
}

/** Removes what a creation left that failed or was cancelled: nothing of the VM stays behind. */
async function discard(context: CreateContext, vm: Vm): Promise<void> {
  await deleteVm(context, vm, null)
  await context.network.detach(vm.spec.vmUid, null)
}

export function requireSuits(spec: VmSpec, { manifest }: StoredImage): void {
  requireBoot(spec, {
    kernel: manifest.kernel !== null,
    disk: manifest.disk !== null || spec.diskBytes !== undefined,
    disc: manifest.kind === 'iso',
  })
  const why = whyNotBootable(manifest)
  if (why !== null) throw new HearthError('invalid_state', why)
  if (spec.memoryBytes < manifest.minMemoryBytes)
    throw new HearthError(
      'invalid_input',
      `${manifest.name} needs at least ${formatBytes(manifest.minMemoryBytes, 'en')} of memory.`,
    )
  const imageBytes = manifest.kind === 'iso' ? 0 : (manifest.disk?.bytes ?? 0)
  const minDisk = Math.max(manifest.minDiskBytes, imageBytes)
  if (spec.diskBytes !== undefined && spec.diskBytes < minDisk)
    throw new HearthError(
      'invalid_input',
      `${manifest.name} needs a disk of at least ${formatBytes(minDisk, 'en')}; a disk cannot be smaller than its image.`,
    )
}

/** What an image gives a VM, and what is remembered of it. */
export async function writeImageFiles(
  files: VmFiles,
  spec: VmSpec,
  image: ImageFiles,
  progress: ActionProgress,
): Promise<NonNullable<VmRecord['boot']>> {
  const { manifest } = image
  const { cancelled } = progress
  const copied = { signal: cancelled, onProgress: report }
  progress.report(62, steps.copyingImage)
  if (image.kernel) await copySparse({ from: image.kernel, to: files.kernel, signal: cancelled })
  if (image.initrd) await copySparse({ from: image.initrd, to: files.initrd, signal: cancelled })
  const hasDisc = manifest.kind === 'iso'
  const hasDisk = (manifest.disk !== null && !hasDisc) || spec.diskBytes !== undefined
  if (hasDisc && image.disk) await copySparse({ from: image.disk, to: files.disc, ...copied })
  if (hasDisk) {
    await rm(files.disk, { force: true })
    if (image.disk && !hasDisc) await copySparse({ from: image.disk, to: files.disk, ...copied })
    else await writeFileAtomic(files.disk, '')
    await chmod(files.disk, 0o600)
    const { size } = await stat(files.disk)
    if (spec.diskBytes !== undefined && spec.diskBytes > size) await truncate(files.disk, spec.diskBytes)
  }
  if (manifest.cloudInit) {
    throwIfAborted(cancelled)
    progress.report(86, steps.writingSeed)
    await writeSeedIso(files.seed, seedDocuments(spec))
  }
  await syncFolder(files.folder)
  return {
    cmdline: manifest.cmdline,
    recipeHash: manifest.recipeHash,
    disk: hasDisk,
    seed: manifest.cloudInit,
    kernel: image.kernel !== null,
    disc: hasDisc,
  }

  function report(fraction: number): void {
    progress.report(62 + fraction * 23, steps.copyingImage)
  }
}

/** Refuses to start what has lost a file, before a monitor fails over it. */
export async function requireFiles(vm: Vm): Promise<void> {
  const { boot } = vm.record
  if (!boot) throw new HearthError('invalid_state', 'This VM is not completely created.')
  const needed: [string, string][] = [
    ...(startsDirectly(vm.spec, boot)
      ? ([
          [vm.files.kernel, 'kernel'],
          [vm.files.initrd, 'initial RAM disk'],
        ] satisfies [string, string][])
      : []),
    ...(boot.disk ? [[vm.files.disk, 'disk'] as [string, string]] : []),
    ...(boot.seed ? [[vm.files.seed, 'cloud-init disk'] as [string, string]] : []),
    ...(boot.disc ? [[vm.files.disc, 'CD'] as [string, string]] : []),
  ]
  for (const { volumeUid } of vm.spec.volumes ?? [])
    needed.push([vm.volumePath(volumeUid), 'attached volume'])
  for (const [path, what] of needed) {
    if ((await stat(path).catch(() => null))?.isFile()) continue
    throw new HearthError(
      'disk_missing',
      `The ${what} of this VM is gone from this host (${path}). Put it back, or delete the VM.`,
    )
  }
}
