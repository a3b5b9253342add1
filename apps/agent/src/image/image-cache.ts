/**
 * A local copy of an image per recipe, `<state>/image-cache/<imageUid>@<recipeHash>/`, where the image store is
 * a share of another machine (the lab's 9p): copied once, then every VM's disk shares its blocks. Where store
 * and state are on one box the store itself serves.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageManifest } from '@hearth/shared/image'
import { unlessAborted } from '../actions/actions.ts'
import { syncFolder, temporaryPrefix } from '../store/atomic-file.ts'
import { copySparse } from './copy-file.ts'
import type { StoredImage } from './image-store.ts'

export interface ImageFiles {
  manifest: ImageManifest
  /** For direct boot; null with firmware. */
  kernel: string | null
  initrd: string | null
  disk: string | null
}

export class ImageCache {
  readonly #folder: string
  readonly #enabled: boolean
  readonly #copies = new Map<string, Promise<void>>()
  readonly #users = new Map<string, number>()

  constructor(options: { stateFolder: string; enabled: boolean }) {
    this.#folder = join(options.stateFolder, 'image-cache')
    this.#enabled = options.enabled
  }

  async open(): Promise<void> {
    if (!this.#enabled) {
      await rm(this.#folder, { recursive: true, force: true })
      return
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith(temporaryPrefix))
        await rm(join(this.#folder, name), { recursive: true, force: true })
    }
  }

  /**
   * Lends the files to make a VM from; `onProgress` is called only when something has to be copied first. Whoever is
   * cancelled meanwhile no longer waits; the copy goes on, for others and for the next time.
   */
  async use<T>(
    image: StoredImage,
    { cancelled, onProgress }: { cancelled: AbortSignal; onProgress: (fraction: number) => void },
    work: (files: ImageFiles) => Promise<T>,
  ): Promise<T> {
    // What the agent made of a VM lies beside the VMs already.
    if (!this.#enabled || image.manifest.source === 'vm') return work(filesIn(image.folder, image.manifest))
    const key = cacheKey(image.manifest)
    const target = join(this.#folder, key)
    this.#users.set(key, (this.#users.get(key) ?? 0) + 1)
    try {
      // Two VMs created at once wait for one copy.
      let copy = this.#copies.get(key)
      if (!copy) {
        copy = this.#copy(image, target, onProgress).finally(() => this.#copies.delete(key))
        // Nobody may be waiting any more when it fails; whoever asks next gets its own try.
        copy.catch(() => undefined)
        this.#copies.set(key, copy)
      }
      await unlessAborted(cancelled, copy)
      await this.#removeOld(image.manifest)
      return await work(filesIn(target, image.manifest))
    } finally {
      const users = (this.#users.get(key) ?? 1) - 1
      if (users === 0) this.#users.delete(key)
      else this.#users.set(key, users)
    }
  }

  async #copy(image: StoredImage, target: string, onProgress: (fraction: number) => void): Promise<void> {
    if ((await readdir(target).catch(() => [])).length > 0) return
    onProgress(0)
    const temporary = join(this.#folder, `${temporaryPrefix}${cacheKey(image.manifest)}`)
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { mode: 0o700 })
    const { kernel, initrd, disk } = image.manifest
    for (const name of [kernel, initrd].filter((name) => name !== null))
      await copySparse({ from: join(image.folder, name), to: join(temporary, name) })
    if (disk) {
      await copySparse({
        from: join(image.folder, disk.file),
        to: join(temporary, disk.file),
        onProgress,
      })
    }
    await rename(temporary, target)
    await syncFolder(this.#folder)
  }

  /** Takes away the copies of a deleted image. A VM being made of one keeps it until it is done. */
  async forget(imageUid: string): Promise<void> {
    if (!this.#enabled) return
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(`${imageUid}@`) || this.#users.has(name)) continue
      await rm(join(this.#folder, name), { recursive: true, force: true })
    }
  }

  /** A VM's files are copies of their own, so an older recipe's copy serves nobody once a newer one is here. */
  async #removeOld(manifest: ImageManifest): Promise<void> {
    const current = cacheKey(manifest)
    for (const name of await readdir(this.#folder)) {
      if (name === current || !name.startsWith(`${manifest.imageUid}@`) || this.#users.has(name)) continue
      await rm(join(this.#folder, name), { recursive: true, force: true })
    }
  }
}

/** The hash is the builder's text: only what is safe in a file name is taken of it. */
function cacheKey(manifest: ImageManifest): string {
  return `${manifest.imageUid}@${manifest.recipeHash.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 64)}`
}

function filesIn(folder: string, manifest: ImageManifest): ImageFiles {
  return {
    manifest,
    kernel: manifest.kernel === null ? null : join(folder, manifest.kernel),
    initrd: manifest.initrd === null ? null : join(folder, manifest.initrd),
    disk: manifest.disk ? join(folder, manifest.disk.file) : null,
  }
}
