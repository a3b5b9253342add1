/**
 * Builds on request: one at a time, each image at most once at a time, going on whether anybody still watches or not.
 * Downloads have a queue of their own, so that nobody's build waits for somebody's slow line.
 */
import type { BuildEvent, Transfer } from '@hearth/shared/image'
import type { RecipeDefinition } from './recipe.ts'

/** Makes the image unless it is there already; throws an Error with a message for people. */
export type Builder = (
  recipe: RecipeDefinition,
  options: {
    signal: AbortSignal
    onProgress: (percent: number, step: string, transfer?: Transfer) => void
  },
) => Promise<void>

export type BuildListener = (event: BuildEvent) => void

/** How often a transfer's progress is told: it moves with every packet. */
const tellMs = 400

class Build {
  readonly listeners = new Set<BuildListener>()
  readonly stopping = new AbortController()
  readonly ended = Promise.withResolvers<void>()
  last: BuildEvent
  #told = 0

  constructor(step: string) {
    this.last = { type: 'progress', progress: 0, step }
  }

  tell(event: BuildEvent): void {
    this.last = event
    for (const listener of this.listeners) listener(event)
  }

  progress(percent: number, step: string, transfer?: Transfer): void {
    const { last } = this
    if (last.type === 'progress' && last.step === step) {
      if (!transfer && last.progress === percent) return
      const now = Date.now()
      if (transfer && now - this.#told < tellMs) return
      this.#told = now
    }
    this.tell({ type: 'progress', progress: percent, step, ...(transfer ? { transfer } : {}) })
  }
}

export class BuildQueue {
  private readonly builder: Builder
  private readonly waiting: string
  private readonly builds = new Map<string, Build>()
  private readonly stopping = new AbortController()
  private tail: Promise<void> = Promise.resolve()

  constructor(builder: Builder, options: { waiting?: string } = {}) {
    this.builder = builder
    this.waiting = options.waiting ?? 'Waiting for another image to be built'
  }

  /**
   * Starts the image's build or joins the one under way. The listener hears where it stands at once, and the last
   * event is `done` or `failed`. Returns a function that stops listening.
   */
  follow(recipe: RecipeDefinition, listener: BuildListener): () => void {
    const build = this.builds.get(recipe.imageUid) ?? this.start(recipe)
    build.listeners.add(listener)
    listener(build.last)
    return () => build.listeners.delete(listener)
  }

  /** Ends one image's build, if there is one, and resolves when nothing of it runs any more. */
  async cancel(imageUid: string): Promise<void> {
    const build = this.builds.get(imageUid)
    if (!build) return
    build.stopping.abort(new Error('This was cancelled.'))
    await build.ended.promise
  }

  /** Ends the build under way, lets those that wait fail, and resolves when nothing is left of either. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The image builder was stopped.'))
    await this.tail
  }

  private start(recipe: RecipeDefinition): Build {
    const build = new Build(this.builds.size > 0 ? this.waiting : 'Starting')
    this.builds.set(recipe.imageUid, build)
    this.tail = this.tail.then(() => this.run(recipe, build))
    return build
  }

  private async run(recipe: RecipeDefinition, build: Build): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, build.stopping.signal])
    try {
      signal.throwIfAborted()
      await this.builder(recipe, {
        signal,
        onProgress: (percent, step, transfer) => build.progress(percent, step, transfer),
      })
      this.end(recipe, build, { type: 'done', imageUid: recipe.imageUid })
    } catch (error) {
      const told = signal.aborted ? (signal.reason as Error) : (error as Error)
      this.end(recipe, build, { type: 'failed', message: told.message })
    }
  }

  /** Whoever asks from now on starts a new build. */
  private end(recipe: RecipeDefinition, build: Build, event: BuildEvent): void {
    this.builds.delete(recipe.imageUid)
    build.tell(event)
    build.ended.resolve()
  }
}
