/** Runs test files under node:test, printed for people, counted for the last line. */
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { noTests, type Tally } from './tally.ts'

interface NodeTestOptions {
  readonly concurrency: number
  readonly isolation?: 'process' | 'none'
  /** For a file. */
  readonly timeoutMs?: number
}

export interface NodeTestRun {
  readonly tally: Tally
  /** What failed: names of tests, and the files they are in. */
  readonly failures: readonly string[]
  readonly failedFiles: readonly string[]
}

/** More files than these are not unlucky but broken, and not tried again. */
const SECOND_TRIES = 5

/** Runs each file in a process of its own, and those with failures once more. */
export async function runNodeTests(
  name: string,
  files: readonly string[],
  options: NodeTestOptions,
): Promise<Tally> {
  return withSecondTry(await runFiles(name, files, options), (failed) =>
    runFiles('those with failures once more, one at a time', failed, { ...options, concurrency: 1 }),
  )
}

/**
 * What comes of `first` and, where it had failures, of a run of its failed files when nothing else runs. A test that
 * only then passes needs a look, but is no reason to stop: most of them are tests that a busy machine overtook.
 */
export async function withSecondTry(
  first: NodeTestRun,
  again: (files: readonly string[]) => Promise<NodeTestRun>,
): Promise<Tally> {
  const { tally, failures, failedFiles } = first
  if (failedFiles.length === 0 || failedFiles.length > SECOND_TRIES) return tally
  const second = await again(failedFiles)
  const failed = second.tally.failed
  return {
    passed: tally.passed + Math.max(0, tally.failed - failed),
    failed,
    skipped: tally.skipped,
    unsteady: failures.filter((test) => !second.failures.includes(test)),
  }
}

const END_IN_TIME = ['--import', new URL('./end-in-time.ts', import.meta.url).href]

/** Runs the files once. */
export async function runFiles(
  name: string,
  files: readonly string[],
  options: NodeTestOptions,
): Promise<NodeTestRun> {
  process.stdout.write(`\n— ${name}: ${files.length} files\n`)
  const tally = noTests()
  const failures: string[] = []
  const failedFiles = new Set<string>()
  if (files.length === 0) return { tally, failures, failedFiles: [] }
  const stream = run({
    files: [...files],
    ...(options.isolation === 'none' ? {} : { concurrency: options.concurrency, execArgv: END_IN_TIME }),
    isolation: options.isolation ?? 'process',
    timeout: options.timeoutMs ?? 180_000,
  })
  stream.on('test:fail', ({ name: test, file, details }) => {
    if (details.type !== 'suite') failures.push(test)
    // A file that could not be run is a test of its own name.
    const failed = [file, test].find((candidate) => candidate !== undefined && files.includes(candidate))
    if (failed) failedFiles.add(failed)
  })
  stream.on('test:summary', (summary) => {
    // A summary without a file is the one of the whole run.
    if (summary.file !== undefined) return
    const { tests, passed, skipped, todo } = summary.counts
    tally.passed = passed
    tally.skipped = skipped + todo
    tally.failed = tests - tally.passed - tally.skipped
  })
  const report = stream.compose(new spec())
  for await (const text of report) process.stdout.write(text as string)
  return { tally, failures, failedFiles: [...failedFiles] }
}
