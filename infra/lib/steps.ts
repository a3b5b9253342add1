/**
 * Progress of a set-up or a test run, for people: each step is announced, may tell what it is doing, and ends
 * with how long it took. On a terminal the line of a running step is rewritten in place, and says how long a slow
 * one has been at it; elsewhere (a log, CI) every change is a line of its own, at most one every few seconds.
 */
export interface Step {
  /** What the step is doing now. */
  detail(text: string): void
}

const LOG_INTERVAL_MS = 5000
/** From then on a step on a terminal counts its seconds: what says nothing of itself is seen to be alive. */
const SLOW_MS = 3000

export class Steps {
  private readonly out: NodeJS.WriteStream

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.out = out
  }

  /** Runs `work` as a step. Behind the tick stands what `outcome` says of the result, or the result itself if it is text. */
  async run<T>(name: string, work: (step: Step) => Promise<T>, outcome?: (result: T) => string): Promise<T> {
    const started = performance.now()
    const live = this.out.isTTY
    let lastLogged = 0
    let doing = ''
    const draw = (): void => {
      const tookMs = performance.now() - started
      const clock = tookMs < SLOW_MS ? '' : ` (${Math.floor(tookMs / 1000)} s)`
      const room = (this.out.columns ?? 100) - name.length - clock.length - 6
      this.out.write(`\r\x1b[2K• ${name}${doing ? `: ${clip(doing, room)}` : ''}${clock}`)
    }
    const show = (text: string): void => {
      doing = text.replace(/\s+/g, ' ').trim()
      if (live) draw()
      else if (performance.now() - lastLogged > LOG_INTERVAL_MS) {
        lastLogged = performance.now()
        this.out.write(`• ${name}${doing ? `: ${doing}` : ''}\n`)
      }
    }
    const clock = live ? setInterval(draw, 1000) : undefined
    show('')
    try {
      const result = await work({ detail: show })
      const text = outcome ? outcome(result) : typeof result === 'string' ? result : ''
      const note = text ? `: ${text}` : ''
      this.out.write(
        `${live ? '\r\x1b[2K' : ''}✓ ${name}${note} (${duration(performance.now() - started)})\n`,
      )
      return result
    } catch (error) {
      this.out.write(`${live ? '\r\x1b[2K' : ''}✗ ${name} (${duration(performance.now() - started)})\n`)
      throw error
    } finally {
      clearInterval(clock)
    }
  }

  note(text: string): void {
    this.out.write(`  ${text}\n`)
  }
}

/** A failure that is explained: printed as one paragraph, without a stack. */
export class Trouble extends Error {
  override readonly name = 'Trouble'
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  return seconds < 100
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

function clip(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line
}
