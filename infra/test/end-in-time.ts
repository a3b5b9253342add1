/**
 * Loaded into each test file's process before the file: one that is not over though its tests are, because a failed one
 * left a server open or a program running, would hold the whole run for ever.
 */
import { after } from 'node:test'

const GRACE_MS = 120_000

after(() => {
  const overdue = (): void => {
    process.stderr.write(
      `its tests are over, and it is not: ${[...new Set(process.getActiveResourcesInfo())].join(', ')}\n`,
    )
    process.exit(1)
  }
  // Keeps nothing waiting itself.
  setTimeout(overdue, Number(process.env.HEARTH_TEST_GRACE_MS ?? GRACE_MS)).unref()
})
