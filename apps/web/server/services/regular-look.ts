/** What is looked after at a regular interval, one look at a time; one that fails is told in the log, and the next one comes. */
import { errorText, type Log } from '../log.ts'

const lookIntervalMs = 15_000

export abstract class RegularLook {
  readonly #log: Log
  readonly #failed: string
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()

  /** `failed`: what the log says of a look that threw. */
  constructor(log: Log, failed: string) {
    this.#log = log
    this.#failed = failed
  }

  protected abstract work(): Promise<void>

  start(): void {
    this.#timer = setInterval(() => void this.look(), lookIntervalMs)
    this.#timer.unref()
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    await this.#looking
  }

  look(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.work())
      .catch((error: unknown) => this.#log.error(this.#failed, { error: errorText(error) }))
    return this.#looking
  }
}
