/** The image store as this host sees it: one complete folder an image, read only, written by the builder. */
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
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async get(imageUid: string): Promise<StoredImage | null> {
    const folder = join(this.#folder, imageUidSchema.parse(imageUid))
    let manifest: ImageManifest
    try {
      manifest = imageManifestSchema.parse(JSON.parse(await readFile(join(folder, 'image.json'), 'utf8')))
    } catch {
      return null
    }
    if (manifest.imageUid !== imageUid) return null
    const names = [manifest.kernel, manifest.initrd, ...(manifest.disk ? [manifest.disk.file] : [])]
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
    const images: StoredImage[] = []
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (!imageUidSchema.safeParse(name).success) continue
      const image = await this.get(name)
      if (image) images.push(image)
    }
    return images
  }
}

/** Bytes a file really takes: st_blocks counts 512 byte units whatever the file system (inode(7)). */
export function allocatedBytes(info: { blocks: number }): number {
  return info.blocks * 512
}
