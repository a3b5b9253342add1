/** `npm run fuzz -- TARGET [--seconds N] [--seed N] [--keep]`: looks for inputs that break a target. */
import { parseArgs } from 'node:util'
import { keepInput, readCorpus } from './corpus.ts'
import { fuzz, shrink } from './fuzzer.ts'
import type { FuzzTarget } from './target.ts'
import { targets } from './targets.ts'

const SHRINK_MS = 20_000

const usage = `Usage: npm run fuzz -- TARGET [--seconds N] [--seed N] [--keep]
Feeds a part of the monitor inputs that a hostile guest, file or peer could make, mutating those that reach new code.
A finding is cut down and kept in packages/vmm/src/fuzz/corpus, where npm test runs it from then on.

  --seconds N   how long (default 60); with "all", for each target
  --seed N      begins with other chances (default: the time)
  --keep        keeps every input that reached new code, too

Targets:
  all                all of them, one after the other
${targets.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n')}
`

function runTarget(target: FuzzTarget, seconds: number, seed: number, keep: boolean): boolean {
  const given = [...(target.seeds ?? []), ...readCorpus(target.name)]
  const until = performance.now() + seconds * 1000
  const report = fuzz(target, { seed, corpus: given, until, coverage: true })
  process.stdout.write(
    `${target.name}: ${report.runs} inputs, ${report.corpus.length} reached new code, seed ${seed}\n`,
  )
  // Mutation carries on from the repository's inputs; those it made are kept only when asked for.
  if (keep)
    for (const input of report.corpus) if (!given.includes(input)) keepInput(target.name, input, 'new')
  if (!report.finding) return true
  const input = shrink(target, report.finding, performance.now() + SHRINK_MS)
  target.close?.()
  const file = keepInput(target.name, input, 'finding')
  const { error } = report.finding
  process.stdout.write(`\nFINDING, ${input.length} bytes, kept as ${file}:\n`)
  process.stdout.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return false
}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const chosen = targets.filter(({ name }) => positionals.includes(name) || positionals[0] === 'all')
  const seconds = Number(values.seconds)
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
  if (values.help || chosen.length === 0 || !(seconds > 0) || !Number.isInteger(seed)) {
    process.stdout.write(usage)
    return values.help ? 0 : 1
  }
  let clean = true
  for (const target of chosen) clean = runTarget(target, seconds, seed, values.keep) && clean
  return clean ? 0 : 1
}

process.exitCode = main()
