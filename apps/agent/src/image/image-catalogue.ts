/**
 * The catalogue of this host: the builder's recipes (kept on disk, so that it is there while the builder is
 * away) joined with what lies in the image store, and with the builds under way.
 */
import { join } from 'node:path'
import { errorReport, HearthError } from '@hearth/shared/errors'
import {
  type ImageImport,
  type ImageReport,
  type OwnImage,
  outdatedStep,
  type Recipe,
  recipeSchema,
  type Transfer,
} from '@hearth/shared/image'
import { z } from 'zod'
import { throwIfAborted, unlessAborted } from '../actions/actions.ts'
import { errorText, type Log } from '../log.ts'
import { readJson, writeJsonAtomic } from '../store/atomic-file.ts'
import type { BuilderClient } from './builder-client.ts'
import type { ImageStore, StoredImage } from './image-store.ts'

/** The image a first VM is made from while the others are still unbuilt: built without being asked. */
const firstImage = 'tiny-linux'

const refreshIntervalMs = 15_000
const eagerRefreshMs = 1000

interface Build {
  count: number
  progress: number
  step: string
  transfer: Transfer | null
}

type Progress = (progress: number, step: string, transfer: Transfer | null) => void

export class ImageCatalogue {
  readonly #recipesFile: string
  readonly #builder: BuilderClient
  readonly #store: ImageStore
  readonly #log: Log
  readonly #publish: (image: ImageReport) => void
  readonly #publishRemoved: (imageUid: string) => void
  #recipes: Recipe[] = []
  #recipesFetched = false
  #stored = new Map<string, StoredImage>()
  readonly #builds = new Map<string, Build>()
  /** Images of somebody's own that are being taken in, or could not be: they have no recipe and are not stored yet. */
  readonly #own = new Map<string, Recipe>()
  readonly #failures = new Map<string, string>()
  readonly #published = new Map<string, string>()
  /** Woken at the next change of anything. */
  readonly #waiting = new Set<() => void>()
  #timer: NodeJS.Timeout | null = null
  readonly #stopping = new AbortController()

  constructor(options: {
    stateFolder: string
    builder: BuilderClient
    store: ImageStore
    log: Log
    publish: (image: ImageReport) => void
    publishRemoved: (imageUid: string) => void
  }) {
    this.#recipesFile = join(options.stateFolder, 'recipes.json')
    this.#builder = options.builder
    this.#store = options.store
    this.#log = options.log
    this.#publish = options.publish
    this.#publishRemoved = options.publishRemoved
  }

  async open(): Promise<void> {
    const cached = z.array(recipeSchema).safeParse(await readJson(this.#recipesFile).catch(() => undefined))
    this.#recipes = cached.data ?? []
    await this.#readStore()
    this.#publishChanges()
  }

  /** Keeps looking at builder and store until stopped. */
  run(): void {
    void this.#refresh().then(() => this.#schedule())
  }

  stop(): void {
    this.#stopping.abort()
    if (this.#timer) clearTimeout(this.#timer)
  }

  list(): ImageReport[] {
    const uids = new Set([
      ...this.#recipes.map((recipe) => recipe.imageUid),
      ...this.#stored.keys(),
      ...this.#own.keys(),
    ])
    return [...uids].map((uid) => this.#report(uid)!)
  }

  /** The image as it lies in the store now; throws what the person is to do when it cannot be used. */
  async require(imageUid: string): Promise<StoredImage> {
    const image = await this.#store.get(imageUid)
    if (image) return image
    const report = this.#report(imageUid)
    if (!report) throw new HearthError('not_found', `There is no image ${imageUid} on this host.`)
    throw new HearthError(
      'image_not_ready',
      report.status === 'building'
        ? `${report.name} is being made (${report.progress} %). Try again when it is ready.`
        : `${report.name} is not on this host yet. Build or download it in the image catalogue first.`,
    )
  }

  /**
   * The image, brought here first if it is not: joins its making, or begins it. A person's own image, which nobody but
   * its own action can make, is waited for. `onProgress` gets percents, and only when there is something to wait for.
   */
  async obtain(
    imageUid: string,
    signal: AbortSignal,
    onProgress: (percent: number) => void,
  ): Promise<StoredImage> {
    throwIfAborted(signal)
    const stored = await this.#store.get(imageUid)
    if (stored) return stored
    onProgress(this.#builds.get(imageUid)?.progress ?? 0)
    if (this.#recipes.some((recipe) => recipe.imageUid === imageUid))
      await this.build(imageUid, { signal, onProgress })
    else
      while (this.#builds.has(imageUid)) {
        await unlessAborted(signal, this.#nextChange())
        onProgress(this.#builds.get(imageUid)?.progress ?? 100)
      }
    return this.require(imageUid)
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  has(imageUid: string): boolean {
    return this.#report(imageUid) !== null
  }

  /** Builds an image, or joins its build, and returns when it is ready. */
  async build(
    imageUid: string,
    options: { signal?: AbortSignal; onProgress?: Progress } = {},
  ): Promise<void> {
    await this.#work(imageUid, options, (follow) => this.#builder.followBuild(imageUid, follow))
  }

  /** Takes in an image of somebody's own, and returns when it is ready. */
  async take(request: ImageImport, options: { signal?: AbortSignal; onProgress?: Progress }): Promise<void> {
    const { image, from } = request
    const source = from.type === 'address' ? 'import' : 'upload'
    const origin = from.type === 'address' ? from.url : from.fileName
    this.#own.set(image.imageUid, ownRecipe(image, source, origin))
    await this.#work(image.imageUid, options, (follow) => this.#builder.followImport(request, follow))
    this.#own.delete(image.imageUid)
  }

  /** Makes an image on this host by `make`, which puts it into the agent's own store. */
  async make(
    image: OwnImage,
    origin: string,
    options: { signal?: AbortSignal; onProgress?: Progress },
    make: (onProgress: Progress) => Promise<void>,
  ): Promise<void> {
    this.#own.set(image.imageUid, ownRecipe(image, 'vm', origin))
    await this.#work(image.imageUid, options, ({ onProgress }) => make(onProgress))
    this.#own.delete(image.imageUid)
  }

  /** Stops the builder's work for an image. What has a recipe can be begun again; what has none is forgotten. */
  async stopWork(imageUid: string): Promise<void> {
    if (this.#own.get(imageUid)?.source !== 'vm') await this.#builder.stopWork(imageUid)
    this.#failures.delete(imageUid)
    this.#own.delete(imageUid)
    this.#publishChanges()
  }

  /** Takes an image off this host; `own` removes it from the agent's store. One with a recipe can be had again. */
  async remove(imageUid: string, own: () => Promise<void>): Promise<void> {
    if (this.#stored.get(imageUid)?.manifest.source === 'vm') await own()
    else await this.#builder.remove(imageUid)
    this.#own.delete(imageUid)
    this.#failures.delete(imageUid)
    await this.#readStore()
    this.#publishChanges()
  }

  async #work(
    imageUid: string,
    options: { signal?: AbortSignal; onProgress?: Progress },
    follow: (options: { signal: AbortSignal; onProgress: Progress }) => Promise<void>,
  ): Promise<void> {
    const build = this.#builds.get(imageUid) ?? {
      ...{ count: 0, progress: 0, step: 'Waiting for the builder', transfer: null },
    }
    build.count++
    this.#builds.set(imageUid, build)
    this.#failures.delete(imageUid)
    this.#publishChanges()
    try {
      await follow({
        signal: AbortSignal.any([this.#stopping.signal, ...(options.signal ? [options.signal] : [])]),
        onProgress: (progress, step, transfer) => {
          build.progress = progress
          build.step = step
          build.transfer = transfer
          options.onProgress?.(progress, step, transfer)
          this.#publishChanges()
        },
      })
      await this.#readStore()
      if (!this.#stored.has(imageUid))
        throw new HearthError(
          'image_build_failed',
          'The image was made, but this host cannot see it in the image store.',
        )
    } catch (error) {
      // This agent ends: the action stays under way in the journal, and the next one goes on with it.
      if (this.#stopping.signal.aborted) await new Promise(() => undefined)
      // A person's wish is no failure of the image.
      if (options.signal?.aborted !== true) this.#failures.set(imageUid, errorReport(error).message)
      throw error
    } finally {
      build.count--
      if (build.count === 0) this.#builds.delete(imageUid)
      this.#publishChanges()
    }
  }

  #report(imageUid: string): ImageReport | null {
    const stored = this.#stored.get(imageUid)
    const recipe =
      this.#recipes.find((candidate) => candidate.imageUid === imageUid) ?? this.#own.get(imageUid)
    // Of an image that is here its own manifest tells; the recipe may already be a newer one.
    const source = stored ? recipeSchema.parse(stored.manifest) : recipe
    if (!source) return null
    const build = this.#builds.get(imageUid)
    const failure = this.#failures.get(imageUid) ?? null
    const outdated =
      stored && !this.#own.has(imageUid) && recipe && recipe.recipeHash !== stored.manifest.recipeHash
    return {
      ...source,
      status: build ? 'building' : stored ? 'ready' : failure ? 'failed' : 'absent',
      progress: build ? build.progress : stored ? 100 : 0,
      step: build ? build.step : outdated ? outdatedStep : '',
      error: failure,
      storedBytes: stored?.storedBytes ?? 0,
      sha256: stored?.manifest.sha256 ?? null,
      diskBytes: stored?.manifest.disk?.bytes ?? null,
      transfer: build?.transfer ?? null,
    }
  }

  #publishChanges(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
    for (const image of this.list()) {
      const text = JSON.stringify(image)
      if (this.#published.get(image.imageUid) === text) continue
      this.#published.set(image.imageUid, text)
      this.#publish(image)
    }
    for (const imageUid of this.#published.keys()) {
      if (this.#report(imageUid) !== null) continue
      this.#published.delete(imageUid)
      this.#publishRemoved(imageUid)
    }
  }

  async #readStore(): Promise<void> {
    this.#stored = new Map((await this.#store.list()).map((image) => [image.manifest.imageUid, image]))
  }

  #schedule(): void {
    if (this.#stopping.signal.aborted) return
    // Until the builder has answered once, ask often: both start at the same time.
    const delay = this.#recipesFetched ? refreshIntervalMs : eagerRefreshMs
    this.#timer = setTimeout(() => void this.#refresh().then(() => this.#schedule()), delay)
  }

  async #refresh(): Promise<void> {
    try {
      const recipes = await this.#builder.recipes()
      this.#recipesFetched = true
      if (JSON.stringify(recipes) !== JSON.stringify(this.#recipes)) {
        this.#recipes = recipes
        await writeJsonAtomic(this.#recipesFile, recipes)
      }
    } catch (error) {
      if (this.#recipesFetched)
        this.#log.warn('the image builder does not answer', { error: errorText(error) })
      this.#recipesFetched = false
    }
    try {
      await this.#readStore()
      this.#publishChanges()
      this.#buildFirstImage()
    } catch (error) {
      this.#log.warn('cannot read the image store', { error: errorText(error) })
    }
  }

  #buildFirstImage(): void {
    const wanted =
      this.#recipesFetched &&
      this.#report(firstImage)?.status === 'absent' &&
      this.#recipes.some((recipe) => recipe.imageUid === firstImage)
    if (!wanted) return
    this.#log.info('building the first image', { image: firstImage })
    this.build(firstImage).then(
      () => this.#log.info('the first image is ready', { image: firstImage }),
      (error: unknown) => {
        if (!this.#stopping.signal.aborted)
          this.#log.error('cannot build the first image', { image: firstImage, error: errorText(error) })
      },
    )
  }
}

function ownRecipe(image: OwnImage, source: 'import' | 'upload' | 'vm', origin: string): Recipe {
  return {
    ...image,
    ...{ recipeHash: '', kind: 'disk', source, boot: 'firmware', origin, downloadBytes: 0 },
  }
}
