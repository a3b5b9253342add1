/** Some files of lab tests in one process, and with it on one lab; the tally goes to the parent (lab-tests.ts). */
import { runNodeTests } from './node-tests.ts'

const files = process.argv.slice(2)
const tally = await runNodeTests('on this lab', files, {
  concurrency: 1,
  isolation: 'none',
  timeoutMs: 900_000,
})
process.send?.(tally, () => process.exit(tally.failed === 0 ? 0 : 1))
