/** Keeps a part of Hearth running: what ends by itself is started again, until that happens too often. */

/** How a run ended: `exit code 1`, `killed by SIGKILL`, and so on, as the rest of a sentence that begins with its name. */
export type Ending = string

/** One run of a part. */
export interface Run {
  /** Resolves when it has ended, however that came. */
  readonly ended: Promise<Ending>
  /** What it wrote last, in lines; empty when it wrote nothing. */
  lastWords(): Promise<string>
  stop(): Promise<void>
}

export function describeEnd(end: { code: number | null; signal: NodeJS.Signals | null }): Ending {
  if (end.signal === 'SIGKILL')
    return 'was killed (SIGKILL: by somebody, or by the kernel for want of memory)'
  if (end.signal) return `was ended by ${end.signal}`
  return `ended with exit code ${end.code}`
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
      const ending = await current.ended
      if (stopping) return
      const words = await current.lastWords().catch(() => '')
      const how = `${ending}${words ? `; its last words:\n${words}\n` : ', without a word. '}`
      ends.push(Date.now())
      const recent = ends.filter((at) => at > Date.now() - WINDOW_MS).length
      if (recent >= MOST_ENDS) {
        onEnd(`The ${name} ${how}That was the ${recent}th time within a minute: it is given up.`)
        return
      }
      onEnd(`The ${name} ${how}It is started again.`)
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (recent - 1))
      })
      if (stopping) return
      current = await start().catch((error: Error) => {
        return neverRan(error)
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

function neverRan(error: Error): Run {
  return {
    ended: Promise.resolve('could not be started'),
    lastWords: async () => error.message,
    stop: async () => {},
  }
}
