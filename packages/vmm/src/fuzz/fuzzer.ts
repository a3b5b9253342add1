/** Mutates inputs and keeps those that reach code no input has reached before; V8 itself tells which blocks ran. */
import { type Profiler, Session } from 'node:inspector'
import type { FuzzTarget } from './target.ts'

export interface Finding {
  readonly input: Uint8Array
  readonly error: unknown
}

export interface FuzzReport {
  readonly runs: number
  /** Inputs that reached something new, the given ones included. */
  readonly corpus: readonly Uint8Array[]
  readonly finding: Finding | undefined
}

export interface FuzzOptions {
  readonly seed: number
  readonly corpus: readonly Uint8Array[]
  /** Ends after so many inputs … */
  readonly runs?: number
  /** … or at this moment of performance.now(). */
  readonly until?: number
  /** Whether to ask V8 for coverage; without it only `corpus` is mutated. */
  readonly coverage?: boolean
}

const MAX_INPUT = 4096

export function fuzz(target: FuzzTarget, options: FuzzOptions): FuzzReport {
  const random = xorshift(options.seed)
  const coverage = options.coverage ? new Coverage() : undefined
  const corpus: Uint8Array[] = []
  let runs = 0
  const attempt = (input: Uint8Array): Finding | undefined => {
    runs++
    try {
      target.run(input)
    } catch (error) {
      return { input, error }
    }
    if (coverage?.isNew()) corpus.push(input)
    return undefined
  }
  const over = (): boolean =>
    (options.runs !== undefined && runs >= options.runs) ||
    (options.until !== undefined && performance.now() >= options.until)
  try {
    for (const input of options.corpus) {
      const finding = attempt(input)
      if (finding) return { runs, corpus, finding }
      if (!coverage) corpus.push(input)
    }
    while (!over()) {
      const finding = attempt(mutate(corpus, random))
      if (finding) return { runs, corpus, finding }
    }
    return { runs, corpus, finding: undefined }
  } finally {
    coverage?.close()
    target.close?.()
  }
}

/** Cuts what is not needed for the finding out of its input, as long as the same error comes. */
export function shrink(target: FuzzTarget, { input, error }: Finding, until: number): Uint8Array {
  const same = (candidate: Uint8Array): boolean => {
    try {
      target.run(candidate)
      return false
    } catch (other) {
      return kindOf(other) === kindOf(error)
    }
  }
  let best = input
  for (let piece = Math.ceil(best.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let at = 0; at < best.length && performance.now() < until; ) {
      const candidate = concat([best.subarray(0, at), best.subarray(at + piece)])
      if (same(candidate)) best = candidate
      else at += piece
    }
  }
  return best
}

const kindOf = (error: unknown): string =>
  error instanceof Error
    ? `${error.name}: ${error.message.replaceAll(/0x[0-9a-f]+|\d+/g, 'n')}`
    : String(error)

function mutate(corpus: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  const chance = (): Uint8Array => Uint8Array.from({ length: 1 + random(256) }, () => random(256))
  const parent = corpus.length === 0 || random(16) === 0 ? chance() : corpus[random(corpus.length)]!
  let child = new Uint8Array(parent)
  for (let steps = 1 + random(8); steps > 0; steps--) {
    const at = random(child.length + 1)
    switch (random(7)) {
      case 0:
        if (child.length > 0) child[at % child.length]! ^= 1 << random(8)
        break
      case 1:
        if (child.length > 0) child[at % child.length] = random(256)
        break
      case 2:
        if (child.length > 0) child[at % child.length] = [0, 1, 0x7f, 0x80, 0xff][random(5)]!
        break
      case 3:
        child = concat([child.subarray(0, at), chance(), child.subarray(at)])
        break
      case 4:
        child = concat([child.subarray(0, at), child.subarray(at + 1 + random(32))])
        break
      case 5: {
        // What is done once is done again later.
        const part = child.subarray(at, at + 1 + random(64))
        const to = random(child.length + 1)
        child = concat([child.subarray(0, to), part, child.subarray(to)])
        break
      }
      default: {
        const other = corpus.length === 0 ? chance() : corpus[random(corpus.length)]!
        child = concat([child.subarray(0, at), other.subarray(random(other.length + 1))])
      }
    }
  }
  return child.subarray(0, MAX_INPUT)
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts))
}

/** xorshift32: the same numbers on every run. `random(n)` is 0 ≤ x < n. */
function xorshift(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 2654435761) >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    return state % below
  }
}

/** Blocks of the monitor's own code that ran for the first time. */
class Coverage {
  private readonly session = new Session()
  /** For each function that ran, the blocks of it that never did: V8 names only those. */
  private readonly never = new Map<string, Set<string>>()

  constructor() {
    this.session.connect()
    this.session.post('Profiler.enable')
    this.session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
    this.isNew()
  }

  isNew(): boolean {
    let found = false
    // Answered before `post` returns.
    this.session.post('Profiler.takePreciseCoverage', (error, report) => {
      if (error) throw error
      for (const { url, scriptId, functions } of report.result) {
        if (!url.includes('/vmm/src/') || url.includes('/fuzz/') || url.includes('/testing/')) continue
        for (const { ranges } of functions) {
          if (ranges[0]!.count > 0) found = this.ran(`${scriptId}:${ranges[0]!.startOffset}`, ranges) || found
        }
      }
    })
    return found
  }

  private ran(fn: string, ranges: Profiler.CoverageRange[]): boolean {
    const skipped = new Set(
      ranges.filter(({ count }) => count === 0).map((r) => `${r.startOffset}:${r.endOffset}`),
    )
    const before = this.never.get(fn)
    const now = before === undefined ? skipped : before.intersection(skipped)
    this.never.set(fn, now)
    return before === undefined || now.size < before.size
  }

  close(): void {
    this.session.disconnect()
  }
}
