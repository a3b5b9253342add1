/** What the end of a machine means for the process. */
import { EXIT, type ExitCode } from '../sys/exit-error.ts'
import type { MachineEnd } from './machine-end.ts'

/** How the process ends: its code, and the line for people. */
export interface ProcessEnd {
  readonly code: ExitCode
  readonly reason: string
}

/** Beside the guest's own ends: a person's or the agent's. */
export type End =
  | MachineEnd
  | { readonly kind: 'quit'; readonly detail: string }
  | { readonly kind: 'reset-asked' }

export interface EndingVm {
  /** There is something to boot. */
  readonly startsAgain: boolean
  readonly noReboot: boolean
  readonly panicked: boolean
}

/** Undefined: the machine starts again. */
export function processEndOf(end: End, vm: EndingVm): ProcessEnd | undefined {
  switch (end.kind) {
    case 'power-off':
      return { code: EXIT.poweroff, reason: 'the guest powered off' }
    case 'quit':
      return { code: EXIT.poweroff, reason: `switched off (${end.detail})` }
    case 'crashed':
      return { code: EXIT.guestCrashed, reason: `the guest crashed: ${end.detail}` }
    case 'failed':
      return { code: EXIT.internal, reason: `internal error: ${end.detail}` }
    case 'reset-asked':
    case 'reset':
      if (!vm.startsAgain) {
        return { code: EXIT.reset, reason: 'the guest reset, and without --kernel it cannot start again' }
      }
      if (end.kind === 'reset-asked' || !vm.noReboot) return undefined
      return vm.panicked
        ? { code: EXIT.guestCrashed, reason: 'the guest crashed: its kernel panicked; see its console' }
        : { code: EXIT.reset, reason: `the guest reset (${end.detail}) and --no-reboot was given` }
  }
}
