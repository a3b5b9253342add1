/** One build from start to published image. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm, statfs } from 'node:fs/promises'
import path from 'node:path'
import { imageManifestSchema, recipeSchema, type Transfer } from '@hearth/shared/image'
import { formatBytes, GIB, MIB } from '@hearth/shared/units'
import { BuildError } from './build-error.ts'
import type { RecipeDefinition } from './recipe.ts'
import { buildFolder, publish } from './store.ts'

export interface BuildOptions {
  readonly images: string
  readonly cacheDir: string
  /** Where the build's log is written; the last build of an image replaces it. */
  readonly logFile: string
  readonly signal: AbortSignal
  readonly onProgress: (percent: number, step: string, transfer?: Transfer) => void
}

/** Throws a BuildError whose message a person can act on; nothing is left behind but the log. */
export async function buildImage(recipe: RecipeDefinition, options: BuildOptions): Promise<void> {
  await checkSpace(options.images, recipe)
  await mkdir(path.dirname(options.logFile), { recursive: true })
  const log = createWriteStream(options.logFile, { mode: 0o600 })
  const folder = await buildFolder(
    options.images,
    recipe.imageUid,
    recipe.source === 'build' ? 'build' : 'fetch',
  )
  let percent = 0
  try {
    const built = await recipe.build({
      folder: path.join(folder, 'image'),
      work: path.join(folder, 'work'),
      images: options.images,
      cacheDir: options.cacheDir,
      log: (text) => void log.write(text),
      progress(now, step, transfer) {
        // Never backwards: a person would think something began again.
        percent = Math.max(percent, Math.min(Math.round(now), 99))
        options.onProgress(percent, step, transfer)
      },
      signal: options.signal,
    })
    const catalogue = recipeSchema.parse(recipe)
    await publish(
      options.images,
      folder,
      imageManifestSchema.parse({ v: 1, ...catalogue, builtAt: new Date().toISOString(), ...built }),
    )
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    log.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    if (options.signal.aborted) throw new BuildError('The build was stopped.')
    const message = error instanceof Error ? error.message : String(error)
    // What a fetch says is all there is to it; of a build the tools said more than a person wants to read at once.
    const where = recipe.source === 'build' ? `\nThe whole log: ${options.logFile}` : ''
    throw new BuildError(`${message}${where}`, { cause: error })
  } finally {
    await new Promise<void>((resolve) => log.end(resolve))
  }
}

/** A build that dies of a full disk after two minutes is worse than one that does not begin. */
async function checkSpace(images: string, recipe: RecipeDefinition): Promise<void> {
  // What is fetched lies here twice for a moment: packed, and unpacked, which is about two and a half times as much.
  const needed =
    recipe.source === 'build'
      ? recipe.minDiskBytes > 0
        ? 3 * GIB
        : 64 * MIB
      : recipe.downloadBytes * 3.5 + 64 * MIB
  await mkdir(images, { recursive: true })
  const disk = await statfs(images)
  const free = disk.bavail * disk.bsize
  if (free < needed) {
    throw new BuildError(
      `${recipe.name} needs ${formatBytes(needed)} of free disk space in ${images}; ${formatBytes(free)} are free. Free some space and try again.`,
    )
  }
}
