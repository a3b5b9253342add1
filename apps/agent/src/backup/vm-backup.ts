/**
 * Taking a backup of a VM, putting one back in its place, and filling a new VM from one. Each may be done again from
 * the beginning after a crash.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { BackupSource } from '@hearth/shared/backup'
import { creationSteps } from '@hearth/shared/creation'
import { HearthError } from '@hearth/shared/errors'
import { type ActionProgress, throwIfAborted } from '../actions/actions.ts'
import { requireSpace } from '../host/capacity.ts'
import { seedDocuments } from '../seed/cloud-init.ts'
import { writeSeedIso } from '../seed/seed-iso.ts'
import { copyDisks } from '../snapshot/copy-disks.ts'
import { canShareBlocks } from '../snapshot/share-blocks.ts'
import { existing, requireSnapshot } from '../snapshot/vm-snapshot.ts'
import { syncFolder, temporaryPrefix } from '../store/atomic-file.ts'
import type { VmFiles } from '../store/vm-store.ts'
import type { Vm } from '../vm/vm.ts'
import type { Vms } from '../vm/vms.ts'
import type { VolumeStore } from '../volume/volume-store.ts'
import { volumeFileName } from './backup-format.ts'
import type { BackupStore, NewBackup } from './backup-store.ts'
import { Turns } from './turns.ts'

export interface BackupContext {
  vms: Vms
  volumes: VolumeStore
  backups: BackupStore
  stagingFolder: string
}

/** What a VM needs to start again, beside its volumes; the seed is written anew from its specification. */
const keptFiles = (files: VmFiles) => [
  files.disk,
  files.kernel,
  files.initrd,
  files.uefiVariables,
  files.disc,
]

/** How long a backup waits for another action on its VM to end. */
const patienceMs = 30 * 60_000
const askAgainMs = 500

/** One backup at a time: they share a disk and a line, and two would each take twice as long. */
const oneAtATime = new Turns()

/** A suspended VM lies as still as one that is held still; only where one is put back it may not be. */
export function requireBackup(vm: Vm): void {
  if (vm.state !== 'suspended') requireSnapshot(vm)
}

export async function takeBackup(
  context: BackupContext,
  { vmUid, backupUid, actionId }: { vmUid: string; backupUid: string; actionId: number },
  progress: ActionProgress,
): Promise<void> {
  const { backups, vms, stagingFolder } = context
  await vms.find(vmUid)?.settled
  if (backups.has(backupUid)) return
  await backups.target.requireSpace()
  const waiting = () => progress.report(1, 'Waiting for another backup to end')
  const staged = join(stagingFolder, backupUid)
  await oneAtATime.take('backup', progress.signal, work, waiting)

  async function work(): Promise<void> {
    try {
      await rm(staged, { recursive: true, force: true })
      await mkdir(staged, { recursive: true, mode: 0o700 })
      const backup = await whileHolding(vms, vmUid, actionId, progress, () =>
        stage(context, vmUid, staged, progress),
      )
      // From here on the guest is its own again: what is left is reading the copy.
      let total = 0
      for (const { path } of backup.files) total += (await stat(path)).size
      const onBytes = counter(total, (fraction) =>
        progress.report(30 + fraction * 68, 'Writing to the backup disk'),
      )
      progress.report(30, 'Writing to the backup disk')
      await backups.take({ ...backup, backupUid }, { signal: progress.signal, onBytes })
    } finally {
      await rm(staged, { recursive: true, force: true })
    }
  }
}

/** Copies its disks aside. */
async function stage(
  { vms, volumes, stagingFolder }: BackupContext,
  vmUid: string,
  staged: string,
  progress: ActionProgress,
): Promise<Omit<NewBackup, 'backupUid'>> {
  const vm = vms.require(vmUid)
  requireBackup(vm)
  const copies: { name: string; from: string }[] = []
  for (const from of await existing(keptFiles(vm.files))) copies.push({ name: basename(from), from })
  if (!copies.some(({ from }) => from === vm.files.disk))
    throw new HearthError('disk_missing', 'The disk of this VM is gone from this host.')
  for (const { volumeUid } of vm.spec.volumes ?? []) {
    volumes.require(volumeUid)
    copies.push({ name: volumeFileName(volumeUid), from: volumes.path(volumeUid) })
  }
  let used = 0
  for (const { from } of copies) used += (await stat(from)).blocks * 512
  if (!(await canShareBlocks(stagingFolder))) await requireSpace(stagingFolder, used)
  const { spec } = vm
  const { boot } = vm.record
  const files = copies.map(({ name }) => ({ name, path: join(staged, name) }))
  const moment = await copyDisks(
    vm,
    copies.map(({ from }, i) => ({ from, to: files[i]!.path })),
    progress,
    30,
  )
  return { ...moment, spec, boot, files }
}

/** Takes the VM as soon as nothing else has it, for as short as it can be: a backup writes far longer than it copies. */
async function whileHolding<T>(
  vms: Vms,
  vmUid: string,
  actionId: number,
  progress: ActionProgress,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + patienceMs
  while (vms.holder(vmUid) !== undefined && Date.now() < deadline) {
    progress.report(2, 'Waiting for another action on the VM to end')
    await wait(askAgainMs, undefined, { signal: progress.signal }).catch(() =>
      throwIfAborted(progress.signal),
    )
  }
  vms.hold(vmUid, actionId)
  try {
    return await work()
  } finally {
    vms.letGo(vmUid, actionId)
  }
}

export function requireRestoreBackup(vm: Vm, backups: BackupStore, backupUid: string): void {
  const { report } = backups.requireWhole(backupUid)
  if (report.vmUid !== vm.spec.vmUid)
    throw new HearthError('invalid_input', 'This backup is of another VM. Make a new VM from it instead.')
  if (!vm.isOff)
    throw new HearthError(
      'invalid_state',
      'A backup is put back while the VM is stopped. Shut it down first.',
    )
}

/** Puts the disks back as they were, and those volumes that the VM still has; sizes that have grown stay. */
export async function restoreBackup(
  context: BackupContext,
  vm: Vm,
  backupUid: string,
  progress: ActionProgress,
): Promise<void> {
  const attached = new Set((vm.spec.volumes ?? []).map(({ volumeUid }) => volumeUid))
  const volumes = context.backups
    .requireWhole(backupUid)
    .report.volumes.map(({ volumeUid }) => volumeUid)
    .filter((uid) => attached.has(uid) && context.volumes.has(uid))
  await fill(context, vm, { backupUid, volumes: volumes.map((uid) => ({ from: uid, to: uid })) }, progress)
  for (const uid of volumes) await context.volumes.measure(uid)
  await vm.measure()
}

/** The files and volumes of a VM that is being made. */
export async function fillFromBackup(
  context: BackupContext,
  vm: Vm,
  source: BackupSource,
  progress: ActionProgress,
): Promise<void> {
  const { manifest } = context.backups.requireWhole(source.backupUid)
  for (const { from, to } of source.volumes) {
    const file = manifest.files.find(({ name }) => name === volumeFileName(from))
    if (!file) throw new HearthError('invalid_input', 'This backup does not have that volume.')
    await context.volumes.create(to, file.bytes, null, progress.signal)
  }
  await fill(context, vm, source, progress)
  for (const { to } of source.volumes) await context.volumes.measure(to)
  // A machine of its own: with another instance id cloud-init makes host name, keys and users anew.
  if (manifest.boot?.seed) {
    throwIfAborted(progress.cancelled)
    progress.report(86, creationSteps.writingSeed)
    await writeSeedIso(vm.files.seed, seedDocuments(vm.spec))
  }
  await syncFolder(vm.files.folder)
}

/** What a creation that came to nothing has made of volumes. */
export async function dropVolumes(volumes: VolumeStore, source: BackupSource): Promise<void> {
  for (const { to } of source.volumes) await volumes.remove(to)
}

async function fill(
  { backups, volumes }: BackupContext,
  vm: Vm,
  source: BackupSource,
  progress: ActionProgress,
): Promise<void> {
  const { backupUid } = source
  const { manifest } = backups.requireWhole(backupUid)
  const places = new Map<string, { to: string; atLeast: number }>()
  for (const to of keptFiles(vm.files)) places.set(basename(to), { to, atLeast: 0 })
  places.set(basename(vm.files.disk), { to: vm.files.disk, atLeast: vm.spec.diskBytes ?? 0 })
  for (const { from, to } of source.volumes)
    places.set(volumeFileName(from), { to: volumes.path(to), atLeast: volumes.require(to).bytes })
  const wanted = manifest.files.filter(({ name }) => places.has(name))
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0)
  const onBytes = counter(total, (fraction) => progress.report(10 + fraction * 70, creationSteps.copyingDisk))
  const copies: { temporary: string; to: string }[] = []
  try {
    await backups.read(backupUid, progress.signal, async (file, restore) => {
      const place = places.get(file.name)
      if (!place) return
      const temporary = join(place.to, '..', `${temporaryPrefix}restored-${basename(place.to)}`)
      await rm(temporary, { force: true })
      copies.push({ temporary, to: place.to })
      await restore(temporary, onBytes)
      if (file.bytes < place.atLeast) await truncate(temporary, place.atLeast)
    })
    throwIfAborted(progress.signal)
  } catch (error) {
    for (const { temporary } of copies) await rm(temporary, { force: true })
    throw error
  }
  progress.report(85, creationSteps.puttingInPlace)
  for (const { temporary, to } of copies) {
    await rename(temporary, to)
    await syncFolder(join(to, '..'))
  }
  await vm.setRecord({ boot: manifest.boot, generationId: randomUUID() })
}

function counter(total: number, report: (fraction: number) => void): (bytes: number) => void {
  let done = 0
  return (bytes) => {
    done += bytes
    report(total === 0 ? 1 : done / total)
  }
}
