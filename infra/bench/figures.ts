/** Collects what was measured and what could not be. */
import type { Failure, Measure } from './report.ts'

export class Figures {
  private readonly byName = new Map<string, Measure & { figures: Record<string, number[]> }>()
  readonly failures: Failure[] = []
  readonly say: (line: string) => void

  constructor(say: (line: string) => void) {
    this.say = say
  }

  get measures(): Measure[] {
    return [...this.byName.values()]
  }

  /** One more figure of a monitor. With `lessIsBetter` false it is a rate. */
  note(monitor: string, name: string, unit: string, value: number, lessIsBetter = true): void {
    if (!Number.isFinite(value) || value <= 0) throw new Error(`${name}: ${value} ${unit} is no measurement`)
    const measure = this.byName.get(name) ?? { name, unit, lessIsBetter, figures: {} }
    this.byName.set(name, measure)
    measure.figures[monitor] = [...(measure.figures[monitor] ?? []), value]
    this.say(`  ${monitor}: ${name}: ${value.toPrecision(4)} ${unit}`)
  }

  /**
   * Does `work`; whatever happens in it, or does not happen within `seconds`, is noted, and the run goes on. Resolves with
   * whether it came to an end. What is overdue goes on behind our back: the caller ends what it waits for.
   */
  async attempt(monitor: string, what: string, seconds: number, work: () => Promise<void>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    let late = false
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true
        reject(new Error(`not done after ${seconds} s`))
      }, seconds * 1000)
    })
    const working = work()
    // Should it end after its time: nobody listens any more.
    working.catch(() => {})
    try {
      await Promise.race([working, overdue])
      return true
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.failures.push({ monitor, measure: what, reason: lastLine(reason) })
      this.say(`  ${monitor}: ${what} FAILED: ${reason}`)
      return !late
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What a person needs in a table; the whole text was printed when it happened. */
function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return (lines[0] ?? '').slice(0, 200)
}
