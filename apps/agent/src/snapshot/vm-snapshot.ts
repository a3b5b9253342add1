/**
 * Taking a snapshot of a VM's system disk, going back to one, and filling a new VM from one. Each may be done again
 * from the beginning after a crash.
 */
import { randomUUID } from 'node:crypto'
import { rename, rm, stat, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { creationSteps } from '@hearth/shared/creation'
import { HearthError } from '@hearth/shared/errors'
import { type ActionProgress, throwIfAborted } from '../actions/actions.ts'
import { requireSpace } from '../host/capacity.ts'
import { copySparse } from '../image/copy-file.ts'
import { seedDocuments } from '../seed/cloud-init.ts'
import { writeSeedIso } from '../seed/seed-iso.ts'
import { syncFolder, temporaryPrefix } from '../store/atomic-file.ts'
import type { VmFiles } from '../store/vm-store.ts'
import type { Vm } from '../vm/vm.ts'
import { copyDisks } from './copy-disks.ts'
import { canShareBlocks } from './share-blocks.ts'
import type { SnapshotStore } from './snapshot-store.ts'

/** What a disk's content needs to start again: itself, and what is started beside it. */
function keptFiles(files: VmFiles): string[] {
  return [files.disk, files.kernel, files.initrd, files.uefiVariables]
}

export async function existing(paths: string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => ((await stat(path).catch(() => null)) ? path : null)),
  )
  return found.filter((path) => path !== null)
}

export function requireSnapshot(vm: Vm): void {
  if (!vm.record.boot?.disk)
    throw new HearthError(
      'invalid_input',
      'This VM has no disk: it runs from memory, so there is nothing to keep.',
    )
  const { state } = vm
  // Half of what such a disk means lies in the suspended memory.
  if (state === 'suspended')
    throw new HearthError('invalid_state', 'It is suspended. Start it, or power it off, first.')
  if (state !== 'stopped' && state !== 'crashed' && state !== 'running' && state !== 'paused')
    throw new HearthError('invalid_state', `It is ${state}. Wait until it runs or is stopped.`)
}

export async function takeSnapshot(
  snapshots: SnapshotStore,
  vm: Vm,
  snapshotUid: string,
  progress: ActionProgress,
): Promise<void> {
  await vm.settled
  if (!snapshots.find(snapshotUid)) {
    const disk = await stat(vm.files.disk).catch(() => {
      throw new HearthError('disk_missing', 'The disk of this VM is gone from this host.')
    })
    if (!(await canShareBlocks(vm.files.folder))) await requireSpace(vm.files.folder, disk.blocks * 512)
    await snapshots.create(snapshotUid, async (folder) => {
      const copies = (await existing(keptFiles(vm.files))).map((from) => ({
        from,
        to: join(folder, basename(from)),
      }))
      const { consistency, takenAt } = await copyDisks(vm, copies, progress, 90)
      return {
        report: { snapshotUid, vmUid: vm.spec.vmUid, diskBytes: disk.size, consistency, takenAt },
        boot: vm.record.boot,
      }
    })
  }
}

export function requireRestore(vm: Vm, snapshots: SnapshotStore, snapshotUid: string): void {
  const { report } = snapshots.require(snapshotUid)
  if (report.vmUid !== vm.spec.vmUid)
    throw new HearthError('invalid_input', 'This snapshot is of another VM. Make a new VM from it instead.')
  if (!vm.isOff)
    throw new HearthError(
      'invalid_state',
      'A VM goes back to a snapshot while it is stopped. Shut it down first.',
    )
}

/** Puts the snapshot's content in the place of the disk, which keeps its size if it has grown since. */
export async function restoreSnapshot(
  snapshots: SnapshotStore,
  vm: Vm,
  snapshotUid: string,
  progress: ActionProgress,
): Promise<void> {
  await snapshots.use(snapshotUid, async ({ report }) => {
    if (!(await canShareBlocks(vm.files.folder))) await requireSpace(vm.files.folder, report.storedBytes)
    await fill(snapshots, vm, snapshotUid, progress)
  })
  await vm.measure()
}

/** The files of a VM that is being made. */
export async function fillFromSnapshot(
  snapshots: SnapshotStore,
  vm: Vm,
  snapshotUid: string,
  progress: ActionProgress,
): Promise<void> {
  await snapshots.use(snapshotUid, async ({ manifest }) => {
    await fill(snapshots, vm, snapshotUid, progress)
    // A machine of its own: with another instance id cloud-init makes host name, keys and users anew.
    if (manifest.boot?.seed) {
      throwIfAborted(progress.cancelled)
      progress.report(86, creationSteps.writingSeed)
      await writeSeedIso(vm.files.seed, seedDocuments(vm.spec))
    }
    await syncFolder(vm.files.folder)
  })
}

async function fill(
  snapshots: SnapshotStore,
  vm: Vm,
  snapshotUid: string,
  progress: ActionProgress,
): Promise<void> {
  const { files, spec } = vm
  const folder = snapshots.folder(snapshotUid)
  const { manifest } = snapshots.require(snapshotUid)
  const copies: { temporary: string; to: string }[] = []
  try {
    for (const to of keptFiles(files)) {
      const [from] = await existing([join(folder, basename(to))])
      if (from === undefined) continue
      const temporary = join(files.folder, `${temporaryPrefix}${basename(to)}`)
      copies.push({ temporary, to })
      await rm(temporary, { force: true })
      await copySparse({
        from,
        to: temporary,
        signal: progress.signal,
        ...(to === files.disk
          ? {
              onProgress: (fraction: number) =>
                progress.report(10 + fraction * 70, creationSteps.copyingDisk),
            }
          : {}),
      })
      if (to === files.disk && spec.diskBytes !== undefined) {
        const { size } = await stat(temporary)
        if (spec.diskBytes > size) await truncate(temporary, spec.diskBytes)
      }
    }
  } catch (error) {
    for (const { temporary } of copies) await rm(temporary, { force: true })
    throw error
  }
  progress.report(85, creationSteps.puttingInPlace)
  for (const { temporary, to } of copies) await rename(temporary, to)
  await syncFolder(files.folder)
  await vm.setRecord({ boot: manifest.boot, generationId: randomUUID() })
}
