import { readdirSync, readFileSync } from 'node:fs'

/**
 * Milliseconds of CPU time that a process's threads have used so far, by Linux's own count (schedstat, nanoseconds).
 * `withoutMain` leaves out the thread that the process began with.
 */
export function cpuTime(pid: number, options: { withoutMain: boolean }): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    if (options.withoutMain && Number(thread) === pid) continue
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // It ended meanwhile: a thread that comes and goes does nothing here that matters.
    }
  }
  return nanoseconds / 1e6
}
