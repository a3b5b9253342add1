/** How a monitor's end is told to a person, and whether it was wanted. */
import { vmmExit } from '@hearth/shared/vmm-control'
import type { MonitorExit } from '../vmm/monitor.ts'

export interface VmEnd {
  crashed: boolean
  reason: string
  /** Whether the guest or a person meant it to stop: then it is not started again at the next boot. */
  meant: boolean
  /** What a start that ended this way failed with. */
  code: 'host_refused' | 'vmm_failed'
}

export type StopRequest = 'shutdown' | 'poweroff' | null

/**
 * `requested` is what a person asked for last; `lastLine` the last line of vmm.log, used when the monitor could
 * not say itself why it ended.
 */
export function describeExit(exit: MonitorExit, requested: StopRequest, lastLine: string | null): VmEnd {
  const code = exit.code === vmmExit.hostRefused ? 'host_refused' : 'vmm_failed'
  return { ...describe(exit, requested, lastLine), code }
}

function describe(exit: MonitorExit, requested: StopRequest, lastLine: string | null): Omit<VmEnd, 'code'> {
  if (requested === 'poweroff') return { crashed: false, reason: 'Powered off.', meant: true }
  const said = exit.reason ?? lastLine
  const detail = said === null ? '' : ` (${said})`
  switch (exit.code) {
    case vmmExit.poweroff:
      return {
        crashed: false,
        reason: requested === 'shutdown' ? 'Shut down.' : 'The guest powered itself off.',
        meant: true,
      }
    case vmmExit.reset:
      return { crashed: false, reason: 'The guest asked for a restart and was stopped.', meant: true }
    case vmmExit.guestCrashed:
      return { crashed: true, reason: `The guest crashed${detail}.`, meant: false }
    case vmmExit.hostRefused:
      return { crashed: true, reason: `This host refused to run it${detail}.`, meant: false }
    case null:
      break
    default:
      return { crashed: true, reason: `Its monitor failed with code ${exit.code}${detail}.`, meant: false }
  }
  if (exit.signal)
    return {
      crashed: true,
      reason:
        exit.signal === 'SIGKILL'
          ? 'Its monitor was killed; perhaps this host ran out of memory.'
          : `Its monitor was ended by ${exit.signal}.`,
      meant: false,
    }
  return { crashed: true, reason: `Its monitor ended without a word${detail}.`, meant: false }
}
