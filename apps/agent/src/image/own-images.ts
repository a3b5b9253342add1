/**
 * Images made from VMs, `<state>/images/<imageUid>/`: the agent's own store, beside the VMs' disks so that a copy can
 * share their blocks (Btrfs, XFS). Whole folders only, as in the builder's store.
 */
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HearthError } from '@hearth/shared/errors'
import { imageManifestSchema, type OwnImage } from '@hearth/shared/image'
import { imageUidSchema } from '@hearth/shared/names'
import { requireSpace } from '../host/capacity.ts'
import { syncFolder, temporaryPrefix } from '../store/atomic-file.ts'
import type { Vm } from '../vm/vm.ts'
import { copySparse } from './copy-file.ts'

export class OwnImages {
  readonly folder: string

  constructor(stateFolder: string) {
    this.folder = join(stateFolder, 'images')
  }

  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.folder)) {
      if (name.startsWith(temporaryPrefix))
        await rm(join(this.folder, name), { recursive: true, force: true })
    }
  }

  /** Copies a stopped VM's disk, and what it is started with. The caller holds the VM. */
  async makeFrom(
    vm: Vm,
    image: OwnImage,
    options: { signal: AbortSignal; onProgress: (fraction: number) => void },
  ): Promise<void> {
    const { boot } = vm.record
    if (!boot?.disk)
      throw new HearthError(
        'invalid_state',
        'This VM has no disk: there is nothing an image could be made of.',
      )
    const source = await stat(vm.files.disk)
    await requireSpace(this.folder, source.blocks * 512)
    const imageUid = imageUidSchema.parse(image.imageUid)
    const temporary = join(this.folder, `${temporaryPrefix}${imageUid}`)
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { mode: 0o700 })
    try {
      const direct = boot.kernel && (await copyBootFiles(vm, temporary))
      await copySparse({ from: vm.files.disk, to: join(temporary, 'disk.raw'), ...options })
      await chmod(join(temporary, 'disk.raw'), 0o600)
      const manifest = imageManifestSchema.parse({
        v: 1,
        ...image,
        recipeHash: imageUid,
        builtAt: new Date().toISOString(),
        source: 'vm',
        boot: direct ? 'direct' : 'firmware',
        origin: vm.spec.name,
        disk: { file: 'disk.raw', bytes: source.size },
        kernel: direct ? 'vmlinuz' : null,
        initrd: direct ? 'initrd' : null,
        cmdline: direct ? boot.cmdline : '',
        minDiskBytes: Math.max(image.minDiskBytes, source.size),
      })
      await writeFile(join(temporary, 'image.json'), JSON.stringify(manifest, null, 2))
      await syncFolder(temporary)
      // Done again after a crash: the first one was complete, or it is not there.
      await rm(join(this.folder, imageUid), { recursive: true, force: true })
      await rename(temporary, join(this.folder, imageUid))
      await syncFolder(this.folder)
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      throw error
    }
  }

  async remove(imageUid: string): Promise<void> {
    const grave = join(this.folder, `${temporaryPrefix}deleted-${imageUidSchema.parse(imageUid)}`)
    await rm(grave, { recursive: true, force: true })
    await rename(join(this.folder, imageUid), grave).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    await syncFolder(this.folder)
    await rm(grave, { recursive: true, force: true })
  }
}

/** Whether the VM has a kernel of its own beside its disk; firmware needs none. */
async function copyBootFiles(vm: Vm, folder: string): Promise<boolean> {
  if (!(await stat(vm.files.kernel).catch(() => null))) return false
  await copySparse({ from: vm.files.kernel, to: join(folder, 'vmlinuz') })
  await copySparse({ from: vm.files.initrd, to: join(folder, 'initrd') })
  return true
}
