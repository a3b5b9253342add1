import type { ErrorCode } from '@hearth/shared/errors'
import { z } from 'zod'

/** The error envelope of the API's model. */
export const errorBodySchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z
      .object({ fields: z.array(z.object({ name: z.string(), messages: z.array(z.string()) })) })
      .nullable(),
  }),
})
export type ErrorBody = z.infer<typeof errorBodySchema>

/** An answer that is an error: status, code and details as the API's model has them. */
export class RestError extends Error {
  readonly status: number
  readonly code: string
  readonly fields: { name: string; messages: string[] }[]

  constructor(
    status: number,
    code: string,
    message: string,
    fields: { name: string; messages: string[] }[] = [],
  ) {
    super(message)
    this.status = status
    this.code = code
    this.fields = fields
  }

  get body(): ErrorBody {
    const details = this.fields.length > 0 ? { fields: this.fields } : null
    return { error: { code: this.code, message: this.message, details } }
  }
}

/** Our codes in the API's words. Codes the model does not have keep their name; clients show the message then. */
export const restErrors: Record<ErrorCode, { status: number; code: string }> = {
  invalid_input: { status: 422, code: 'invalid_input' },
  unauthorized: { status: 401, code: 'unauthorized' },
  forbidden: { status: 403, code: 'forbidden' },
  confirm_identity: { status: 403, code: 'forbidden' },
  not_found: { status: 404, code: 'not_found' },
  uniqueness_error: { status: 409, code: 'uniqueness_error' },
  locked: { status: 423, code: 'locked' },
  conflict: { status: 409, code: 'conflict' },
  // Not "conflict": its clients try that again by themselves, and trying again changes nothing here.
  invalid_state: { status: 409, code: 'invalid_state' },
  // The model's word for it; clients name the protection to be changed.
  protected: { status: 423, code: 'protected' },
  resource_limit_exceeded: { status: 403, code: 'resource_limit_exceeded' },
  host_unavailable: { status: 503, code: 'unavailable' },
  host_refused: { status: 422, code: 'host_refused' },
  image_not_ready: { status: 422, code: 'image_not_ready' },
  image_build_failed: { status: 500, code: 'image_build_failed' },
  disk_missing: { status: 422, code: 'disk_missing' },
  no_space: { status: 422, code: 'no_space' },
  vmm_failed: { status: 500, code: 'vmm_failed' },
  timeout: { status: 504, code: 'timeout' },
  cancelled: { status: 409, code: 'cancelled' },
  unsupported_version: { status: 422, code: 'unsupported_version' },
  internal: { status: 500, code: 'service_error' },
}
