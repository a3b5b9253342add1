/** What keeps a monitor small: every VM is a process, and its memory beside the guest's is multiplied by all of them. */
import { readFileSync } from 'node:fs'
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { mallocTrim, mallopt, prctl } from './libc.ts'

/** mallopt(3) */
const M_TRIM_THRESHOLD = -1
const M_ARENA_MAX = -8
/** <linux/prctl.h> */
const PR_SET_THP_DISABLE = 41
const MIB = 2 ** 20

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
  refuseHugePages()
}

/**
 * For this process and those it starts from now on: the kernel gives stacks and V8's code ranges no huge pages of their
 * own accord, where of 2 MiB each a tenth would be used (10 MiB a monitor, on hosts where they are always on).
 * Not where the host's owner turned them on for shared memory, because a guest's RAM is such; `--huge-pages` has
 * nothing to do with it.
 */
export function refuseHugePages(setting = sharedMemorySetting()): void {
  if (/\[(never|deny)\]/.test(setting)) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
}

/** As "always within_size advise [never] deny force"; empty where the kernel has none. */
function sharedMemorySetting(): string {
  try {
    return readFileSync('/sys/kernel/mm/transparent_hugepage/shmem_enabled', 'latin1')
  } catch {
    return ''
  }
}

type Collector = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void

/** So long after its machine began to run a thread has loaded what it needs; the guest itself is still busy starting. */
export const LOADED_MS = 1000
/** When a machine has run for so long, its start is over at the latest. */
const START_OVER_MS = 20_000
/** How often a thread looks afterwards whether tidying up is worth while. */
const TIDY_INTERVAL_MS = 30_000
/** A heap that grew by less is left alone. */
const WORTH_BYTES = MIB
/** A thread is calm that used less than this share of a processor for so long. */
const CALM_SHARE = 0.1
export const CALM_MS = 2000

/** What this thread's heap took after it was tidied last. */
let kept = 0

/**
 * Gives back what loading and compiling left behind, 3 to 5 MiB a thread, and after a while of work what that left. It
 * takes some 10 ms of the thread: only when nothing waits for it, or once when the start is over.
 */
export function tidyUp(): void {
  if (v8.getHeapStatistics().total_physical_size < kept + WORTH_BYTES) return
  // Set only for this moment: while a flag is not as V8 was built with, it throws away the code cache that Node brings
  // for its own modules, and a thread that starts meanwhile takes more time and 2 MiB more.
  v8.setFlagsFromString('--expose-gc')
  // The flag is the process's: another thread that does the same may just have taken it away, then this one goes without.
  const collect: Collector | undefined = runInNewContext('globalThis.gc')
  v8.setFlagsFromString('--no-expose-gc')
  if (collect === undefined) return
  collect({ type: 'major', flavor: 'last-resort' })
  kept = v8.getHeapStatistics().total_physical_size
}

/** What malloc holds of all threads' freed memory goes back to the host. */
export function trimMalloc(): void {
  mallocTrim(0)
}

/**
 * Tidies up a thread that is asked twice, `CALM_MS` apart, and had little to do between. It is asked from outside where a
 * timer in its own loop would cost each round of it a look at the clock.
 */
export class CalmTidier {
  private used = 0
  private at = Number.NEGATIVE_INFINITY

  asked(): void {
    const used = threadMicroseconds()
    const at = performance.now()
    const ms = at - this.at
    if (ms < 2 * CALM_MS && used - this.used <= CALM_SHARE * ms * 1000) tidyUp()
    this.used = used
    this.at = at
  }
}

/**
 * Tidies up this thread when everything is loaded, when the start is over, and later when it has become calm after work. `after` is the timer of
 * the thread's loop; `also` comes with every round, calm or not. Who knows before the time that the start is over calls
 * what this returns.
 */
export function tidyRegularly(after: (ms: number, work: () => void) => void, also?: () => void): () => void {
  const tidier = new CalmTidier()
  const next = (): void => {
    after(TIDY_INTERVAL_MS, () => {
      tidier.asked()
      after(CALM_MS, () => {
        tidier.asked()
        also?.()
        next()
      })
    })
  }
  let isOver = false
  const startOver = (): void => {
    if (isOver) return
    isOver = true
    tidyUp()
    also?.()
    next()
  }
  after(LOADED_MS, () => {
    if (!isOver) tidyUp()
  })
  after(START_OVER_MS, startOver)
  return startOver
}

/** For threads that have Node's own event loop, which this does not keep alive. */
export const onNodeLoop = (ms: number, work: () => void): void => void setTimeout(work, ms).unref()

function threadMicroseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
