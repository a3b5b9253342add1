/**
 * `node infra/recipes/build.ts --images DIR [--cache DIR] [--force] IMAGE…`: builds the named images into a store
 * unless they are there already, of the same recipe. Tests and people use it; `npm start` goes through builder.ts.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Transfer } from '@hearth/shared/image'
import { lockFile } from '../lab/file-lock.ts'
import { cacheDirectory } from '../lib/paths.ts'
import { duration, Steps, Trouble } from '../lib/steps.ts'
import { BuildError } from './build-error.ts'
import { buildImage } from './build-image.ts'
import { recipes } from './catalogue.ts'
import type { RecipeDefinition } from './recipe.ts'
import { readManifest, tidyStore } from './store.ts'

export interface EnsureOptions {
  readonly images: string
  readonly cacheDir: string
  readonly force?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (percent: number, step: string, transfer?: Transfer) => void
}

/** Returns whether it had to build. Waits while another process builds into the same store. */
export async function ensureImage(imageUid: string, options: EnsureOptions): Promise<boolean> {
  const recipe = recipes.find((one) => one.imageUid === imageUid)
  if (!recipe)
    throw new Trouble(
      `There is no recipe ${imageUid}; there are ${recipes.map((r) => r.imageUid).join(', ')}.`,
    )
  return ensureRecipe(recipe, options)
}

/** The same for a recipe that is in no catalogue, such as an import. */
export async function ensureRecipe(recipe: RecipeDefinition, options: EnsureOptions): Promise<boolean> {
  if (!options.force && (await upToDate(recipe, options.images))) return false
  // What is fetched takes hours and no share of the machine: builds do not wait for it.
  if (recipe.source !== 'build') {
    await build(recipe, options)
    return true
  }
  await using _lock = await lockFile(storeLock(options.images), () =>
    options.onProgress?.(0, 'Waiting for another build'),
  )
  if (!options.force && (await upToDate(recipe, options.images))) return false
  await tidyStore(options.images)
  await build(recipe, options)
  return true
}

function build(recipe: RecipeDefinition, options: EnsureOptions): Promise<void> {
  return buildImage(recipe, {
    images: options.images,
    cacheDir: options.cacheDir,
    logFile: path.join(options.images, '.logs', `${recipe.imageUid}.log`),
    signal: options.signal ?? new AbortController().signal,
    onProgress: options.onProgress ?? (() => {}),
  })
}

/** Held while somebody builds into the store. */
export const storeLock = (images: string): string => path.join(images, '.builder.lock')

async function upToDate(recipe: RecipeDefinition, images: string): Promise<boolean> {
  return (await readManifest(images, recipe.imageUid))?.recipeHash === recipe.recipeHash
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { images: { type: 'string' }, cache: { type: 'string' }, force: { type: 'boolean' } },
    allowPositionals: true,
  })
  if (!values.images || positionals.length === 0) {
    throw new Trouble('usage: node infra/recipes/build.ts --images DIR [--cache DIR] [--force] IMAGE…')
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const steps = new Steps()
  for (const imageUid of positionals) {
    const started = performance.now()
    await steps.run(`Image ${imageUid}`, async (step) => {
      const built = await ensureImage(imageUid, {
        images: path.resolve(values.images!),
        cacheDir: values.cache ?? cacheDirectory,
        force: values.force ?? false,
        signal: stop.signal,
        onProgress: (percent, text) => step.detail(`${percent} % ${text}`),
      })
      return built ? `built in ${duration(performance.now() - started)}` : 'there already'
    })
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const known = error instanceof Trouble || error instanceof BuildError
    process.stderr.write(`hearth: ${known ? error.message : (error as Error).stack}\n`)
    process.exitCode = 1
  })
}
