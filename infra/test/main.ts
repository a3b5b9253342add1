/**
 * `npm test`: everything that decides whether Hearth is good, in an order that never runs a build beside a lab.
 *   checks (format, lint, types) → builds → unit tests → labs: monitor and agent tests → the portal's pages in a
 *   browser → the real stack in a browser
 * `npm test -- --only checks,unit,lab,pages,e2e` runs a part, `--only desktop` the one with a graphical guest, which is in no
 * plain run. What fails is tried once more; what passes only then is named at the end. After failed checks nothing else is run,
 * after other failures the rest is. Ends with one line, `N passed, N failed, N skipped`.
 */
import { glob } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { buildPages, generateDatabaseClient } from '../build/portal.ts'
import { buildPrograms } from '../build/programs.ts'
import { ensurePackages } from '../lib/debian.ts'
import { inRepository, repository } from '../lib/paths.ts'
import { run } from '../lib/run.ts'
import { duration, Steps, Trouble } from '../lib/steps.ts'
import { debianPackages as recipePackages } from '../recipes/packages.ts'
import { agentPackages, chooseHost, hostPackages } from '../start/host.ts'
import { runDesktopTest, runE2e } from './e2e.ts'
import { runLabTests } from './lab-tests.ts'
import { runNodeTests } from './node-tests.ts'
import { testPackages } from './packages.ts'
import { runPlaywright } from './playwright.ts'
import { runPostgresTests } from './postgres-tests.ts'
import { addTo, noTests, type Tally } from './tally.ts'

const usualParts = ['checks', 'unit', 'lab', 'pages', 'e2e'] as const
/** `desktop` takes an emulated CPU more minutes than all others of the browser together. */
const parts = [...usualParts, 'desktop'] as const
type Part = (typeof parts)[number]

const steps = new Steps()

async function main(): Promise<number> {
  const started = performance.now()
  const only = chosenParts()
  const wants = (part: Part): boolean => only.has(part)
  const total = noTests()
  const add = (tally: Tally): void => addTo(total, tally)
  const choice =
    wants('lab') || wants('e2e') || wants('desktop')
      ? await chooseHost(steps, { host: { kind: 'auto' } })
      : undefined
  await ensurePackages(
    steps,
    [...agentPackages, ...recipePackages, ...testPackages, ...(choice ? hostPackages(choice) : [])],
    { install: true },
  )
  await steps.run('Database client', generateDatabaseClient, made)
  if (wants('checks')) await checks(add)
  if (total.failed > 0) return ended(started, total)
  await steps.run('Programs', buildPrograms, (changed) => (changed > 0 ? 'bundled' : 'unchanged'))
  if (wants('pages') || wants('e2e') || wants('desktop')) {
    await steps.run('Portal pages', (step) => buildPages((line) => step.detail(line)), made)
  }
  if (wants('unit')) {
    add(await runNodeTests('unit tests', await unitTests(), { concurrency: 2 }))
    add(await runPostgresTests())
  }
  if (wants('lab')) add(await runLabTests())
  if (wants('pages')) {
    process.stdout.write('\n— pages: real portals with a stand-in agent, so without a guest and a lab\n')
    add(await runPlaywright('portal.config.ts'))
  }
  if (wants('e2e')) add(await runE2e(steps, choice!))
  if (wants('desktop')) add(await runDesktopTest(steps, choice!))
  if (usualParts.every(wants) && !wants('desktop'))
    process.stdout.write('\nNot run: the graphical guest in a browser (npm test -- --only desktop)\n')
  return ended(started, total)
}

/** The last lines, and the exit code. */
function ended(started: number, { passed, failed, skipped, unsteady }: Tally): number {
  if (unsteady.length > 0) {
    process.stdout.write(`\nFailed at first and passed when tried once more:\n  ${unsteady.join('\n  ')}\n`)
  }
  process.stdout.write(`\nAll of it took ${duration(performance.now() - started)}.\n`)
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  return failed === 0 && passed > 0 ? 0 : 1
}

const made = (fresh: boolean): string => (fresh ? 'made' : 'unchanged')

function chosenParts(): Set<Part> {
  const { values } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: false })
  const names = values.only?.split(',') ?? usualParts
  for (const name of names) {
    if (!parts.includes(name as Part)) throw new Trouble(`--only ${name}: the parts are ${parts.join(', ')}.`)
  }
  return new Set(names as Part[])
}

/** Formatter, linter and type check; each counts as one test. All run even when one fails. */
async function checks(add: (tally: Tally) => void): Promise<void> {
  const commands: [string, string[]][] = [
    [
      'Format and lint',
      ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '--colors=off', '.'],
    ],
    ['Types', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit']],
    ['Types of the portal', ['node_modules/typescript/bin/tsc', '-p', 'apps/web/tsconfig.json', '--noEmit']],
  ]
  for (const [name, args] of commands) {
    const result = await steps.run(
      name,
      () => run(process.execPath, args, { cwd: repository }),
      (r) => (r.code === 0 ? '' : `FAILED\n${r.stdout.slice(0, 20_000)}\n${r.tail}`),
    )
    add({ ...noTests(), [result.code === 0 ? 'passed' : 'failed']: 1 })
  }
}

async function unitTests(): Promise<string[]> {
  const files: string[] = []
  for (const pattern of [
    'packages/*/src/**/*.test.ts',
    'apps/*/{src,server}/**/*.test.ts',
    '{infra,prisma}/**/*.test.ts',
  ]) {
    for await (const file of glob(pattern, {
      cwd: repository,
      exclude: (name) => name.includes('node_modules'),
    })) {
      if (!file.endsWith('.lab.test.ts')) files.push(inRepository(file))
    }
  }
  return files.sort()
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      error instanceof Trouble ? `\nhearth: ${error.message}\n` : `\nhearth: ${(error as Error).stack}\n`,
    )
    process.exit(1)
  },
)
