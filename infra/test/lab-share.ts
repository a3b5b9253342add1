/** Some files of lab tests in one process, and with it on one lab; what came of them goes to the parent (lab-tests.ts). */
import { runFiles } from './node-tests.ts'

const files = process.argv.slice(2)
const done = await runFiles('on this lab', files, {
  concurrency: 1,
  isolation: 'none',
  timeoutMs: 900_000,
})
process.send?.(done, () => process.exit(done.tally.failed === 0 ? 0 : 1))
