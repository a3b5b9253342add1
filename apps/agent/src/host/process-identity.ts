/**
 * Which process is meant, across agent restarts and reboots. A pid alone is recycled; pid, start time (clock
 * ticks since boot, proc_pid_stat(5) field 22) and boot id together never are.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'

export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  startTicks: z.int().nonnegative(),
  bootId: z.string(),
})
export type ProcessIdentity = z.infer<typeof processIdentitySchema>

/** Changes with every boot of the machine (random(4)). */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** Start ticks of a live process; null when there is none or only a zombie is left. */
export function processStartTicks(pid: number): number | null {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  // The command name stands in parentheses and may hold anything, also parentheses and spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  if (state === 'Z' || state === 'X') return null
  return Number(fields[19])
}

export function identifyProcess(pid: number, bootId: string): ProcessIdentity | null {
  const startTicks = processStartTicks(pid)
  return startTicks === null ? null : { pid, startTicks, bootId }
}

export function isProcessAlive(identity: ProcessIdentity, bootId: string): boolean {
  return identity.bootId === bootId && processStartTicks(identity.pid) === identity.startTicks
}

/** Sends a signal to exactly that process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, bootId: string, signal: NodeJS.Signals): boolean {
  if (!isProcessAlive(identity, bootId)) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch {
    return false
  }
}

/**
 * Kills a monitor: the process a launcher waits for, which then ends by itself, or the process itself. The launcher
 * first would be reported as ended while the monitor still holds its disks.
 */
export function killMonitor(identity: ProcessIdentity, bootId: string): void {
  if (!isProcessAlive(identity, bootId)) return
  const children = childrenOf(identity.pid)
  for (const pid of children.length > 0 ? children : [identity.pid]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/**
 * Processes that have `argument` as one whole command line argument. The net under a crash between starting a
 * monitor and writing its pid down: two monitors on one disk would destroy it. A launcher comes before what it
 * launched, which has the same arguments and is left out.
 */
export function findProcessesByArgument(argument: string, bootId: string): ProcessIdentity[] {
  const found: ProcessIdentity[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    let commandLine: string
    try {
      commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8')
    } catch {
      continue
    }
    if (!commandLine.split('\0').includes(argument)) continue
    const identity = identifyProcess(Number(name), bootId)
    if (identity) found.push(identity)
  }
  const launched = new Set(found.flatMap(({ pid }) => childrenOf(pid)))
  return found.filter(({ pid }) => !launched.has(pid))
}
