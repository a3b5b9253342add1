/** How a monitor's end is told to a person, and whether it was wanted. */
import { vmmExit } from '@hearth/shared/vmm-control'
import type { MonitorExit } from '../vmm/monitor.ts'

export interface VmEnd {
  crashed: boolean
  reason: string
  /** Whether the guest or a person meant it to stop: then it is not started again at the next boot. */
  meant: boolean
  /** Its monitor's last act was to write the whole machine down. */
  suspended: boolean
  /** What a start that ended this way failed with. */
  code: 'host_refused' | 'vmm_failed'
}

export type StopRequest = 'shutdown' | 'poweroff' | null

/**
 * `requested` is what a person asked for last; `lastLine` the last line of vmm.log, hearth-vmm's own words when
 * no agent was there to be told how it ended.
 */
export function describeExit(exit: MonitorExit, requested: StopRequest, lastLine: string | null): VmEnd {
  const said = exit.reason ?? lastLine?.replace(/^hearth-vmm: /, '') ?? null
  if (exit.reason === null && launcherSawKill.test(said ?? ''))
    return { ...describe(null, 'SIGKILL', said, requested), suspended: false, code: 'vmm_failed' }
  const exitCode = exit.code ?? (exit.signal ? null : codeFromWords(said))
  const code = exitCode === vmmExit.hostRefused ? 'host_refused' : 'vmm_failed'
  if (exitCode === vmmExit.poweroff && said === savedWords)
    return {
      crashed: false,
      reason: 'Suspended. It goes on where it was at the next start.',
      meant: true,
      suspended: true,
      code,
    }
  return { ...describe(exitCode, exit.signal, said, requested), suspended: false, code }
}

function describe(
  code: number | null,
  signal: NodeJS.Signals | null,
  said: string | null,
  requested: StopRequest,
): Omit<VmEnd, 'code' | 'suspended'> {
  if (requested === 'poweroff') return { crashed: false, reason: 'Powered off.', meant: true }
  if (signal === 'SIGKILL')
    return {
      crashed: true,
      reason: 'Its monitor was killed; perhaps this host ran out of memory.',
      meant: false,
    }
  if (signal) return { crashed: true, reason: `Its monitor was ended by ${signal}.`, meant: false }
  switch (code) {
    case vmmExit.poweroff:
      if (requested === 'shutdown') return { crashed: false, reason: 'Shut down.', meant: true }
      // A signal to the monitor, as when the box itself goes down: nobody asked for this VM to be off.
      if (said?.startsWith(switchedOff)) return { crashed: false, reason: sentence(said), meant: false }
      return { crashed: false, reason: 'The guest powered itself off.', meant: true }
    case vmmExit.reset:
      return { crashed: false, reason: 'The guest asked for a restart and was stopped.', meant: true }
    case vmmExit.guestCrashed:
      return { crashed: true, reason: sentence(said ?? 'the guest crashed'), meant: false }
    case vmmExit.hostRefused:
      return { crashed: true, reason: sentence(said ?? 'this host refused to run it'), meant: false }
    case null:
      return {
        crashed: true,
        reason: 'Its monitor ended without a word; perhaps it was killed.',
        meant: false,
      }
    default:
      return {
        crashed: true,
        reason: sentence(`its monitor failed with code ${code}${said === null ? '' : `: ${said}`}`),
        meant: false,
      }
  }
}

/** A jailed monitor's launcher (unshare of util-linux) cannot end by SIGKILL as its child did, and says this. */
const launcherSawKill = /^unshare: (sigprocmask|signal)/

const switchedOff = 'switched off'
/** After the control method `snapshot` with `after: quit`. */
const savedWords = `${switchedOff} (snapshot)`

/** hearth-vmm ends with one of these sentences (packages/vmm, `Monitor.run`). */
function codeFromWords(said: string | null): number | null {
  if (said === null) return null
  if (said === 'the guest powered off' || said.startsWith(switchedOff)) return vmmExit.poweroff
  if (said.startsWith('the guest crashed')) return vmmExit.guestCrashed
  if (said.startsWith('internal error')) return vmmExit.internal
  return null
}

function sentence(text: string): string {
  const line = text.split('\n')[0]!.trim().slice(0, 500)
  return `${line[0]?.toUpperCase() ?? ''}${line.slice(1)}${/[.!?]$/.test(line) ? '' : '.'}`
}
