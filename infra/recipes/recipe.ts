/** What every image recipe is. */
import type { ImageManifest, Recipe, Transfer } from '@hearth/shared/image'
import { contentHash } from '../lib/content-hash.ts'

export interface BuildContext {
  /** An empty folder that becomes the image; the recipe fills it with everything but the manifest. */
  readonly folder: string
  /** An empty folder for what is thrown away afterwards, on the same file system. */
  readonly work: string
  /** The store itself: what is fetched over days is kept there between attempts. */
  readonly images: string
  readonly cacheDir: string
  /** The build's log: everything the tools print. */
  readonly log: (text: string) => void
  /** Progress from 0 to 100, what is being done, for people, and how far a transfer is, if there is one. */
  readonly progress: (percent: number, step: string, transfer?: Transfer) => void
  /** Aborted when the builder stops: commands under way are to be ended. */
  readonly signal: AbortSignal
}

/** What a build found out that the catalogue could not know. */
export type BuiltImage = Pick<ImageManifest, 'disk' | 'kernel' | 'initrd' | 'cmdline'> &
  Partial<Pick<ImageManifest, 'kind' | 'boot' | 'sha256' | 'minDiskBytes' | 'cloudInit' | 'loginUser'>>

export interface RecipeDefinition extends Recipe {
  build(context: BuildContext): Promise<BuiltImage>
}

/**
 * The hash of a recipe: all files (but tests) of the named folders beside this one. Versions of Debian's packages are
 * left out on purpose: an image is not made anew because a mirror moved on, guests update themselves.
 */
export function recipeHash(...folders: string[]): string {
  return contentHash(import.meta.dirname, folders).slice(0, 32)
}
