import type { ErrorCode } from './errors.ts'

/** For each of our codes the nearest of tRPC's; clients read ours, these serve tRPC's own tools and its HTTP status. */
export const trpcCodes = {
  invalid_input: 'BAD_REQUEST',
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  confirm_identity: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  uniqueness_error: 'CONFLICT',
  locked: 'CONFLICT',
  conflict: 'CONFLICT',
  invalid_state: 'PRECONDITION_FAILED',
  protected: 'PRECONDITION_FAILED',
  resource_limit_exceeded: 'PRECONDITION_FAILED',
  host_unavailable: 'SERVICE_UNAVAILABLE',
  host_refused: 'PRECONDITION_FAILED',
  image_not_ready: 'PRECONDITION_FAILED',
  image_build_failed: 'INTERNAL_SERVER_ERROR',
  disk_missing: 'PRECONDITION_FAILED',
  no_space: 'PRECONDITION_FAILED',
  vmm_failed: 'INTERNAL_SERVER_ERROR',
  timeout: 'TIMEOUT',
  cancelled: 'CLIENT_CLOSED_REQUEST',
  unsupported_version: 'BAD_REQUEST',
  internal: 'INTERNAL_SERVER_ERROR',
} as const satisfies Record<ErrorCode, string>
