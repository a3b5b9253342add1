/** What keeps a monitor small: every VM is a process, and its memory beside the guest's is multiplied by all of them. */
import v8 from 'node:v8'
import { mallopt } from './libc.ts'

/** mallopt(3) */
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
  // Threads started from here on have it.
  v8.setFlagsFromString('--expose-gc')
}

interface Collector {
  gc?(options: { readonly type: 'major'; readonly flavor: 'last-resort' }): void
}

/**
 * Gives back what loading and compiling left behind, 3 MiB a thread. It takes some 10 ms of the thread: only when
 * nothing waits for it.
 */
export function collectLoadingGarbage(): void {
  ;(globalThis as Collector).gc?.({ type: 'major', flavor: 'last-resort' })
}
