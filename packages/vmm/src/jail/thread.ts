import { restrictThread } from './landlock.ts'
import { dropCapabilities } from './privileges.ts'

/** What a worker thread is given to confine itself. Plain data. */
export interface ThreadJail {
  /** A Landlock rule set's descriptor; absent where the kernel has no Landlock. */
  readonly ruleset?: number | undefined
  /**
   * Not where the process changes its user later, which takes the capabilities of all threads: glibc makes each of
   * them change, and ends the process should one of them not be able to.
   */
  readonly dropCapabilities: boolean
}

/**
 * Landlock and capabilities belong to the thread, so every worker calls this itself, once all its code is loaded and
 * everything it needs has been opened.
 */
export function enterThreadJail(jail: ThreadJail | undefined): void {
  if (jail === undefined) return
  if (jail.ruleset !== undefined) restrictThread(jail.ruleset)
  if (jail.dropCapabilities) dropCapabilities()
}
