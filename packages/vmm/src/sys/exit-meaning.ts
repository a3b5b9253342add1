import { EXIT } from './exit-error.ts'

/** What an exit code of `hearth-vmm` means, in a few words; signals and unknown codes count as an internal error. */
export function exitMeaning(code: number | null): string {
  switch (code) {
    case EXIT.poweroff:
      return 'powered off'
    case EXIT.usage:
      return 'started with a wrong command line'
    case EXIT.hostRefused:
      return 'refused by the host'
    case EXIT.reset:
      return 'reset by the guest'
    case EXIT.guestCrashed:
      return 'crashed'
    default:
      return 'ended by an internal error'
  }
}
