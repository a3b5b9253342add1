/** What a run of tests came to. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
  /** Names of tests that failed and passed when they were tried once more; they count as passed. */
  unsteady: string[]
}

export const noTests = (): Tally => ({ passed: 0, failed: 0, skipped: 0, unsteady: [] })

export function addTo(total: Tally, tally: Tally): void {
  total.passed += tally.passed
  total.failed += tally.failed
  total.skipped += tally.skipped
  total.unsteady.push(...tally.unsteady)
}
