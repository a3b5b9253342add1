/** Those who wait until something is true, which whoever changes it makes them look at again. */
export class Conditions {
  readonly #waiting = new Set<() => void>()

  /** Call it after every change that somebody may wait for. */
  look(): void {
    for (const check of [...this.#waiting]) check()
  }

  /** Resolves with true once `condition` holds; with false when `timeoutMs` passed before. */
  until(condition: () => boolean, timeoutMs?: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (condition()) {
        resolve(true)
        return
      }
      const end = (result: boolean) => {
        this.#waiting.delete(check)
        if (timer) clearTimeout(timer)
        resolve(result)
      }
      const check = () => {
        if (condition()) end(true)
      }
      const timer = timeoutMs === undefined ? null : setTimeout(() => end(false), timeoutMs)
      this.#waiting.add(check)
    })
  }
}
