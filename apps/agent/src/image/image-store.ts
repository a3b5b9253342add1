/**
 * The images as this host sees them, one complete folder an image: the builder's store, read only, and the agent's
 * own, with images made from VMs (in the lab their disks are nowhere else). A uid is in one of them only.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ImageManifest, imageManifestSchema } from '@hearth/shared/image'
import { imageUidSchema } from '@hearth/shared/names'

export interface StoredImage {
  manifest: ImageManifest
  folder: string
  /** Bytes its files take. */
  storedBytes: number
}

export class ImageStore {
  readonly #folders: readonly string[]

  constructor(...folders: string[]) {
    this.#folders = folders
  }

  async get(imageUid: string): Promise<StoredImage | null> {
    for (const root of this.#folders) {
      const image = await this.#read(root, imageUid)
      if (image) return image
    }
    return null
  }

  async #read(root: string, imageUid: string): Promise<StoredImage | null> {
    const folder = join(root, imageUidSchema.parse(imageUid))
    let manifest: ImageManifest
    try {
      manifest = imageManifestSchema.parse(JSON.parse(await readFile(join(folder, 'image.json'), 'utf8')))
    } catch {
      return null
    }
    if (manifest.imageUid !== imageUid) return null
    const names = [manifest.kernel, manifest.initrd, manifest.disk?.file].filter((name) => name != null)
    let storedBytes = 0
    for (const name of names) {
      // A manifest is written by the builder; still, a file name that leaves the folder is not followed.
      if (name.includes('/') || name.startsWith('.')) return null
      const info = await stat(join(folder, name)).catch(() => null)
      if (!info?.isFile()) return null
      storedBytes += allocatedBytes(info)
    }
    return { manifest, folder, storedBytes }
  }

  async list(): Promise<StoredImage[]> {
    const images = new Map<string, StoredImage>()
    for (const root of this.#folders) {
      for (const name of await readdir(root).catch(() => [])) {
        if (images.has(name) || !imageUidSchema.safeParse(name).success) continue
        const image = await this.#read(root, name)
        if (image) images.set(name, image)
      }
    }
    return [...images.values()]
  }
}

/** Bytes a file really takes: st_blocks counts 512 byte units whatever the file system (inode(7)). */
function allocatedBytes(info: { blocks: number }): number {
  return info.blocks * 512
}
