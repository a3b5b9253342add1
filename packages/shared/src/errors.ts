import { z } from 'zod'

/** Every error that crosses a process boundary carries one of these codes; a code is never reused. */
export const errorCodes = [
  'invalid_input',
  'unauthorized',
  'forbidden',
  'confirm_identity',
  'not_found',
  'uniqueness_error',
  'locked',
  'conflict',
  'invalid_state',
  'protected',
  'resource_limit_exceeded',
  'host_unavailable',
  'host_refused',
  'image_not_ready',
  'image_build_failed',
  'disk_missing',
  'no_space',
  'vmm_failed',
  'timeout',
  'cancelled',
  'unsupported_version',
  'internal',
] as const
export const errorCodeSchema = z.enum(errorCodes)
export type ErrorCode = z.infer<typeof errorCodeSchema>

/** The wire form of an error. `message` is for the person: what happened and what to do next. */
export const errorReportSchema = z.object({ code: errorCodeSchema, message: z.string() })
export type ErrorReport = z.infer<typeof errorReportSchema>

/**
 * An error with two texts: `userMessage` is shown to the person and says what to do next;
 * `message` (the Error's own) is for the log and may name files, exit codes and internals.
 */
export class HearthError extends Error {
  readonly code: ErrorCode
  readonly userMessage: string

  constructor(code: ErrorCode, userMessage: string, options: { log?: string; cause?: unknown } = {}) {
    super(options.log ?? userMessage, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HearthError'
    this.code = code
    this.userMessage = userMessage
  }
}

/** The report of any thrown value; what is not a HearthError is `internal` and keeps its details to the log. */
export function errorReport(error: unknown): ErrorReport {
  if (error instanceof HearthError) return { code: error.code, message: error.userMessage }
  return { code: 'internal', message: 'Something went wrong inside Hearth. The log has the details.' }
}
