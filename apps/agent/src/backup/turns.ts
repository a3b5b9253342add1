/** Work that shares something goes one after the other, by the name of what it shares. */
import { unlessAborted } from '../actions/actions.ts'

export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Runs `work` when it is its turn; `waiting` is called when that is not at once. Leaves the line when aborted. */
  async take<T>(
    key: string,
    signal: AbortSignal,
    work: () => Promise<T>,
    waiting: () => void = () => undefined,
  ): Promise<T> {
    const before = this.#last.get(key)
    let done = () => {}
    const mine = new Promise<void>((resolve) => {
      done = resolve
    })
    // Whoever comes next waits for all before, also when this one leaves the line.
    const last = (before ?? Promise.resolve()).then(() => mine)
    this.#last.set(key, last)
    void last.then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key)
    })
    try {
      if (before) {
        waiting()
        await unlessAborted(signal, before)
      }
      return await work()
    } finally {
      done()
    }
  }
}
