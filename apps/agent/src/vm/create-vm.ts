/**
 * Making a VM: its folder first, then its files, then its place in the network, then its start. Every step may
 * be done again after a crash; until the last file is there the folder says `creating`.
 */
import { chmod, rm, stat, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HearthError } from '@hearth/shared/errors'
import { whyNotBootable } from '@hearth/shared/image'
import { formatBytes } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { ActionProgress } from '../actions/actions.ts'
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
import type { VmRecord, VmStore } from '../store/vm-store.ts'
import { requireBoot, startsDirectly } from './boot-options.ts'
import type { Vm } from './vm.ts'
import type { Vms } from './vms.ts'

export interface CreateContext {
  vms: Vms
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
  spec: VmSpec,
  start: boolean,
  progress: ActionProgress,
  snapshotUid?: string,
): Promise<void> {
  const { vms, store, catalogue, cache, network } = context
  let vm = vms.find(spec.vmUid)
  if (vm?.record.phase !== 'ready') {
    try {
      vm = snapshotUid === undefined ? await fromImage(vm) : await fromSnapshot(vm, snapshotUid)
      await vm.measure()
      progress.report(90, 'Setting up the network')
      await vms.publishGuests()
      await vm.setRecord({ phase: 'ready' })
      vm.setState('stopped')
    } catch (error) {
      const left = vms.find(spec.vmUid)
      if (left) await discard(context, left)
      throw error
    }
  }
  // Power off during the making of a VM that was to be started: it is made, and stays off.
  if (!start || progress.signal.aborted || vm.hasProcess || vm.record.exit !== null) return
  progress.report(93, 'Starting')
  requireMemoryNow(spec.memoryBytes)
  try {
    await vm.start(progress.signal)
  } catch (error) {
    if (!(error instanceof HearthError && error.code === 'cancelled')) throw error
  }

  async function fromImage(begun: Vm | undefined): Promise<Vm> {
    progress.report(1, 'Looking for the image')
    const image = await catalogue.require(spec.image)
    requireSuits(spec, image)
    await requireSpace(dirname(store.files(spec.vmUid).folder), image.storedBytes)
    const created = begun ?? (await createFolder(context, spec))
    await cache.use(
      image,
      (fraction) => progress.report(2 + fraction * 58, 'Fetching the image to this host'),
      (files) => writeFiles(created, files, progress),
    )
    return created
  }

  async function fromSnapshot(begun: Vm | undefined, uid: string): Promise<Vm> {
    const created = begun ?? (await createFolder(context, spec))
    await fillFromSnapshot(context.snapshots, created, uid, progress)
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

/** Removes what a failed creation left: the action says why, and nothing of the VM stays behind. */
async function discard({ vms, store, network }: CreateContext, vm: Vm): Promise<void> {
  await store.remove(vm.spec.vmUid)
  vms.drop(vm.spec.vmUid)
  await vms.publishGuests()
  await network.detach(vm.spec.vmUid, null)
}

function requireSuits(spec: VmSpec, { manifest }: StoredImage): void {
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

async function writeFiles(vm: Vm, image: ImageFiles, progress: ActionProgress): Promise<void> {
  const { spec, files } = vm
  const { manifest } = image
  progress.report(62, 'Copying the image')
  if (image.kernel) await copySparse({ from: image.kernel, to: files.kernel })
  if (image.initrd) await copySparse({ from: image.initrd, to: files.initrd })
  const hasDisc = manifest.kind === 'iso'
  const hasDisk = (manifest.disk !== null && !hasDisc) || spec.diskBytes !== undefined
  if (hasDisc && image.disk) {
    await copySparse({
      from: image.disk,
      to: files.disc,
      onProgress: (fraction) => progress.report(62 + fraction * 23, 'Copying the image'),
    })
  }
  if (hasDisk) {
    await rm(files.disk, { force: true })
    if (image.disk && !hasDisc)
      await copySparse({
        from: image.disk,
        to: files.disk,
        onProgress: (fraction) => progress.report(62 + fraction * 23, 'Copying the image'),
      })
    else await writeFileAtomic(files.disk, '')
    await chmod(files.disk, 0o600)
    const { size } = await stat(files.disk)
    if (spec.diskBytes !== undefined && spec.diskBytes > size) await truncate(files.disk, spec.diskBytes)
  }
  if (manifest.cloudInit) {
    progress.report(86, 'Writing the cloud-init disk')
    await writeSeedIso(files.seed, seedDocuments(spec))
  }
  await syncFolder(files.folder)
  await vm.setRecord({
    boot: {
      cmdline: manifest.cmdline,
      recipeHash: manifest.recipeHash,
      disk: hasDisk,
      seed: manifest.cloudInit,
      kernel: image.kernel !== null,
      disc: hasDisc,
    },
  })
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
