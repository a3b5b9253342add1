/** Tells live pages that something changed. Carries no data: whoever listens reads the database again. */
import { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** `people`: who is a member of what. */
export type Topic =
  | 'vms'
  | 'snapshots'
  | 'volumes'
  | 'backups'
  | 'metrics'
  | 'hosts'
  | 'images'
  | 'actions'
  | 'sessions'
  | 'people'

/** Changes that come closer together than this are shown together. */
const PAUSE_MS = 80

export class Changes {
  readonly #events = new EventEmitter()

  constructor() {
    // One listener a live subscription; a home with many open tabs is no leak.
    this.#events.setMaxListeners(0)
  }

  publish(...topics: Topic[]): void {
    for (const topic of topics) this.#events.emit(topic)
  }

  on(topic: Topic, listener: () => void): () => void {
    this.#events.on(topic, listener)
    return () => this.#events.off(topic, listener)
  }

  /** The value now and again whenever one of the topics made it another one, until `signal` aborts. */
  async *watch<T>(
    topics: readonly Topic[],
    load: () => Promise<T>,
    signal: AbortSignal,
  ): AsyncGenerator<T, void, void> {
    let wake = Promise.withResolvers<void>()
    const changed = () => wake.resolve()
    const stops = topics.map((topic) => this.on(topic, changed))
    signal.addEventListener('abort', changed)
    let shown: string | undefined
    try {
      while (!signal.aborted) {
        wake = Promise.withResolvers<void>()
        const value = await load()
        const text = JSON.stringify(value)
        if (text !== shown && !signal.aborted) {
          shown = text
          yield value
        }
        await wake.promise
        await delay(PAUSE_MS, undefined, { signal }).catch(() => {})
      }
    } finally {
      for (const stop of stops) stop()
      signal.removeEventListener('abort', changed)
    }
  }
}
