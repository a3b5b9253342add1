/**
 * Builds on request: one at a time, each image at most once at a time, going on whether anybody still watches or not.
 */
import type { BuildEvent } from '@hearth/shared/image'
import type { RecipeDefinition } from './recipe.ts'

/** Makes the image unless it is there already; throws an Error with a message for people. */
export type Builder = (
  recipe: RecipeDefinition,
  options: { signal: AbortSignal; onProgress: (percent: number, step: string) => void },
) => Promise<void>

export type BuildListener = (event: BuildEvent) => void

class Build {
  readonly listeners = new Set<BuildListener>()
  last: BuildEvent

  constructor(step: string) {
    this.last = { type: 'progress', progress: 0, step }
  }

  tell(event: BuildEvent): void {
    this.last = event
    for (const listener of this.listeners) listener(event)
  }
}

export class BuildQueue {
  private readonly recipes: readonly RecipeDefinition[]
  private readonly builder: Builder
  private readonly builds = new Map<string, Build>()
  private readonly stopping = new AbortController()
  private tail: Promise<void> = Promise.resolve()

  constructor(recipes: readonly RecipeDefinition[], builder: Builder) {
    this.recipes = recipes
    this.builder = builder
  }

  /**
   * Starts the image's build or joins the one under way. The listener hears where it stands at once, and the last
   * event is `done` or `failed`. Returns a function that stops listening, or undefined for an image without a recipe.
   */
  follow(imageUid: string, listener: BuildListener): (() => void) | undefined {
    const recipe = this.recipes.find((one) => one.imageUid === imageUid)
    if (!recipe) return undefined
    const build = this.builds.get(imageUid) ?? this.start(recipe)
    build.listeners.add(listener)
    listener(build.last)
    return () => build.listeners.delete(listener)
  }

  /** Ends the build under way, lets those that wait fail, and resolves when nothing is left of either. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.tail
  }

  private start(recipe: RecipeDefinition): Build {
    const build = new Build(this.builds.size > 0 ? 'Waiting for another image to be built' : 'Starting')
    this.builds.set(recipe.imageUid, build)
    this.tail = this.tail.then(() => this.run(recipe, build))
    return build
  }

  private async run(recipe: RecipeDefinition, build: Build): Promise<void> {
    try {
      if (this.stopping.signal.aborted) throw new Error('The image builder was stopped.')
      await this.builder(recipe, {
        signal: this.stopping.signal,
        onProgress(percent, step) {
          const { last } = build
          if (last.type === 'progress' && last.progress === percent && last.step === step) return
          build.tell({ type: 'progress', progress: percent, step })
        },
      })
      this.end(recipe, build, { type: 'done', imageUid: recipe.imageUid })
    } catch (error) {
      this.end(recipe, build, { type: 'failed', message: (error as Error).message })
    }
  }

  /** Whoever asks from now on starts a new build. */
  private end(recipe: RecipeDefinition, build: Build, event: BuildEvent): void {
    this.builds.delete(recipe.imageUid)
    build.tell(event)
  }
}
