/**
 * Context, error mapping and the one procedure builder of the agent's router. There is no per-procedure
 * permission here: whoever holds the host's token is the portal, and the portal decides who may do what.
 */
import { type ErrorCode, type ErrorReport, errorReport, HearthError } from '@hearth/shared/errors'
import { initTRPC, TRPCError } from '@trpc/server'
import superjson from 'superjson'
import { ZodError, z } from 'zod'
import type { AgentServices, EventSink } from './services.ts'

export interface AgentContext {
  services: AgentServices
  sink: EventSink
}

/** The tRPC code nearest to ours; the client reads `data.hearth.code`, this one only serves tRPC's own tools. */
const trpcCodes: Record<ErrorCode, TRPCError['code']> = {
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
}

/** What the person is told of a failed call, whatever layer refused it. */
export function wireError(error: TRPCError): ErrorReport {
  const { cause } = error
  if (cause instanceof HearthError) return errorReport(cause)
  if (cause instanceof ZodError && error.code === 'BAD_REQUEST')
    return { code: 'invalid_input', message: z.prettifyError(cause) }
  if (error.code === 'NOT_FOUND')
    return { code: 'not_found', message: 'This host does not know that request.' }
  if (error.code === 'BAD_REQUEST' || error.code === 'PARSE_ERROR')
    return { code: 'invalid_input', message: 'This host could not read the request.' }
  return errorReport(cause ?? error)
}

const t = initTRPC.context<AgentContext>().create({
  transformer: superjson,
  // Stack traces stay in the agent's log, also in development.
  isDev: false,
  errorFormatter({ shape, error }) {
    const hearth = wireError(error)
    return { ...shape, message: hearth.message, data: { ...shape.data, hearth } }
  },
})

export const router = t.router

export const procedure = t.procedure.use(async ({ next }) => {
  const result = await next()
  if (!result.ok && result.error.cause instanceof HearthError) {
    const { cause } = result.error
    throw new TRPCError({ code: trpcCodes[cause.code], message: cause.userMessage, cause })
  }
  return result
})
