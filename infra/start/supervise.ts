/** Keeps a part of Hearth running: what ends by itself is started again, until that happens too often. */

/** One run of a part. */
export interface Run {
  /** Resolves when it has ended, however that came. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export interface Supervised {
  readonly name: string
  /** Resolves when it is given up, or stopped. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

const MOST_ENDS = 5
const WINDOW_MS = 60_000
const FIRST_PAUSE_MS = 250

/**
 * Supervises `first`, which runs already. `start` makes the next run; when it throws, that counts as an end.
 * Given up after five ends within a minute. `onEnd` is told of every end that nobody asked for.
 */
export function supervise(
  name: string,
  first: Run,
  start: () => Promise<Run>,
  onEnd: (text: string) => void,
): Supervised {
  let current = first
  let stopping = false
  let wake = (): void => {}
  const ends: number[] = []

  const keepRunning = async (): Promise<void> => {
    for (;;) {
      await current.ended
      if (stopping) return
      ends.push(Date.now())
      const recent = ends.filter((at) => at > Date.now() - WINDOW_MS).length
      if (recent >= MOST_ENDS) {
        onEnd(`The ${name} ended ${recent} times within a minute and is given up.`)
        return
      }
      onEnd(`The ${name} ended by itself and is started again.`)
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (recent - 1))
      })
      if (stopping) return
      current = await start().catch((error: Error) => {
        onEnd(error.message)
        return { ended: Promise.resolve(), stop: async () => {} }
      })
      if (stopping) await current.stop()
    }
  }
  const ended = keepRunning()
  return {
    name,
    ended,
    async stop() {
      stopping = true
      wake()
      await current.stop()
      await ended
    },
  }
}
