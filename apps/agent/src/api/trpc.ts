/**
 * Context, error mapping and the one procedure builder of the agent's router. There is no per-procedure
 * permission here: whoever holds the host's token is the portal, and the portal decides who may do what.
 */
import { type ErrorReport, errorReport, HearthError } from '@hearth/shared/errors'
import { trpcCodes } from '@hearth/shared/trpc-codes'
import { initTRPC, TRPCError } from '@trpc/server'
import superjson from 'superjson'
import { ZodError, z } from 'zod'
import { inWords } from '../host/disk-error.ts'
import type { AgentServices, EventSink } from './services.ts'

interface AgentContext {
  services: AgentServices
  sink: EventSink
}

/** What the person is told of a failed call, whatever layer refused it. */
function wireError(error: TRPCError): ErrorReport {
  const { cause } = error
  if (cause instanceof HearthError) return errorReport(cause)
  if (cause instanceof ZodError && error.code === 'BAD_REQUEST')
    return { code: 'invalid_input', message: z.prettifyError(cause) }
  if (error.code === 'NOT_FOUND')
    return { code: 'not_found', message: 'This host does not know that request.' }
  if (error.code === 'BAD_REQUEST' || error.code === 'PARSE_ERROR')
    return { code: 'invalid_input', message: 'This host could not read the request.' }
  return errorReport(inWords(cause ?? error))
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
