/**
 * A VM made anew from an image: its system disk and what starts beside it. Everything else stays: its identity, address,
 * volumes, snapshots. The image is copied beside the old disk first, so that a guest runs until just before the end and
 * a failure leaves what there was. May be done again from the beginning after a crash.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { creationSteps as steps } from '@hearth/shared/creation'
import { HearthError } from '@hearth/shared/errors'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { type ActionProgress, throwIfAborted } from '../actions/actions.ts'
import { requireSpace } from '../host/capacity.ts'
import { isErrno, syncFolder, temporaryPrefix } from '../store/atomic-file.ts'
import { filesIn } from '../store/vm-store.ts'
import { type CreateContext, requireSuits, startCreated, writeImageFiles } from './create-vm.ts'
import type { Vm } from './vm.ts'

export function requireRebuild(vm: Vm, spec: VmSpec): void {
  const { spec: current, record } = vm
  if (!record.boot) throw new HearthError('invalid_state', 'This VM is not completely created.')
  if (spec.generation < current.generation)
    throw new HearthError(
      'conflict',
      `This host already has a newer version of this VM (generation ${current.generation}).`,
    )
  if (spec.mac !== current.mac || spec.diskBytes !== current.diskBytes)
    throw new HearthError('invalid_input', 'Rebuilding a VM changes neither its address nor its size.')
}

export async function rebuildVm(
  context: CreateContext,
  vm: Vm,
  { spec, start }: { spec: VmSpec; start: boolean },
  progress: ActionProgress,
): Promise<void> {
  const { catalogue, cache } = context
  const { cancelled } = progress
  progress.report(1, steps.lookingForImage)
  const image = await catalogue.obtain(spec.image, cancelled, (percent) =>
    progress.report(1 + percent * 0.45, steps.waitingForImage),
  )
  requireSuits(spec, image)
  await requireSpace(vm.files.folder, image.storedBytes)
  const folder = join(vm.files.folder, `${temporaryPrefix}rebuilt`)
  const made = filesIn(folder)
  try {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { mode: 0o700 })
    const boot = await cache.use(
      image,
      { cancelled, onProgress: (fraction) => progress.report(46 + fraction * 14, steps.fetchingImage) },
      (from) => writeImageFiles(made, spec, from, progress),
    )
    throwIfAborted(cancelled)
    if (vm.hasProcess) {
      progress.report(88, 'Powering off')
      await vm.powerOff({ keepDesired: start })
    }
    await vm.discardSuspended()
    progress.report(90, steps.puttingInPlace)
    // What the image does not have is gone with the old one.
    const { disk, seed, disc, kernel, initrd, uefiVariables } = vm.files
    const replaced = { disk, seed, disc, kernel, initrd, uefiVariables }
    for (const [name, to] of Object.entries(replaced)) {
      const from = made[name as keyof typeof replaced]
      await rename(from, to).catch(async (error: unknown) => {
        if (!isErrno(error, 'ENOENT')) throw error
        await rm(to, { force: true })
      })
    }
    await syncFolder(vm.files.folder)
    await vm.setRecord({ boot, generationId: randomUUID(), exit: null, panicked: false })
    await vm.setSpec(spec)
    if (vm.state === 'crashed') vm.setState('stopped')
    await vm.measure()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  await startCreated(vm, start, progress)
}
