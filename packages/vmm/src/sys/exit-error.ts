import type { vmmExit } from '@hearth/shared/vmm-control'

/**
 * How `hearth-vmm` ends; the numbers are `vmmExit` of packages/shared, repeated here as a checked constant
 * because importing that module would load zod into every VM's process.
 */
export const EXIT: typeof vmmExit = {
  poweroff: 0,
  usage: 1,
  hostRefused: 2,
  reset: 10,
  guestCrashed: 11,
  internal: 70,
}
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends the process with `code`; `message` is the one line a person reads: what happened and what to do next. */
export class ExitError extends Error {
  readonly code: ExitCode
  constructor(code: ExitCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ExitError'
    this.code = code
  }
}

export const usageError = (message: string): ExitError => new ExitError(EXIT.usage, message)
export const hostRefused = (message: string, cause?: unknown): ExitError =>
  new ExitError(EXIT.hostRefused, message, cause === undefined ? undefined : { cause })
