/** Runs test files under node:test, printed for people, counted for the last line. */
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

export interface Tally {
  passed: number
  failed: number
  skipped: number
}

export async function runNodeTests(
  name: string,
  files: readonly string[],
  options: { concurrency: number; isolation?: 'process' | 'none'; timeoutMs?: number },
): Promise<Tally> {
  process.stdout.write(`\n— ${name}: ${files.length} files\n`)
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  if (files.length === 0) return tally
  const stream = run({
    files: [...files],
    ...(options.isolation === 'none' ? {} : { concurrency: options.concurrency }),
    isolation: options.isolation ?? 'process',
    timeout: options.timeoutMs ?? 180_000,
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
  return tally
}
