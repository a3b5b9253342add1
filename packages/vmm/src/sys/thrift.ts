/** What keeps a monitor small: every VM is a process, and its memory beside the guest's is multiplied by all of them. */
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { mallopt } from './libc.ts'

/** mallopt(3) */
const M_TRIM_THRESHOLD = -1
const M_ARENA_MAX = -8

/**
 * In MiB, for each worker's `resourceLimits`. What a thread allocates while it serves a guest is little and dies young;
 * left alone V8 lets the place for it grow to 48 MiB a thread. This makes semi-spaces of 1 MiB.
 */
export const YOUNG_GENERATION_MIB = 3

/**
 * Before the first thread starts. One arena for all of them: V8's compiler threads would otherwise each keep the most
 * they ever needed. Nothing that a guest waits for allocates, so they need not contend for it.
 */
export function keepMemorySmall(): void {
  mallopt(M_ARENA_MAX, 1)
  // Its default, but said: then malloc does not learn to keep ever larger blocks, as the compilers' are.
  mallopt(M_TRIM_THRESHOLD, 128 * 1024)
}

type Collector = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void

/** When a machine has run for so long, its start is over. */
export const START_OVER_MS = 20_000

/**
 * Gives back what loading and compiling left behind, 3 MiB a thread. It takes some 10 ms of the thread: only when
 * nothing waits for it, or once when the start is over.
 */
export function collectLoadingGarbage(): void {
  // Set only for this moment: while a flag is not as V8 was built with, it throws away the code cache that Node brings
  // for its own modules, and a thread that starts meanwhile takes more time and 2 MiB more.
  v8.setFlagsFromString('--expose-gc')
  // The flag is the process's: another thread that does the same may just have taken it away, then this one goes without.
  const collect: Collector | undefined = runInNewContext('globalThis.gc')
  v8.setFlagsFromString('--no-expose-gc')
  collect?.({ type: 'major', flavor: 'last-resort' })
}
