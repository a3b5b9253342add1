/** Runs the probe guest in a process of its own, which may be killed when KVM hangs. Prints one JSON object. */
import { ExitError } from '../sys/exit-error.ts'
import { runProbeGuest } from './probe-guest.ts'

function probe(): { problem: string | null } {
  try {
    return { problem: runProbeGuest() ?? null }
  } catch (error) {
    if (error instanceof ExitError) return { problem: error.message }
    throw error
  }
}

console.log(JSON.stringify(probe()))
