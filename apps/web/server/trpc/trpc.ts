/**
 * Context, error mapping and the procedure builders of the portal's router, from top to bottom. The bare builder is
 * not exported: every procedure says who may call it by the builder it is made with.
 */
import { type ErrorCode, type ErrorReport, errorReport, HearthError } from '@hearth/shared/errors'
import { initTRPC, TRPCError } from '@trpc/server'
import superjson from 'superjson'
import { ZodError, z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { PortalServices } from '../services/types.ts'

export interface TrpcContext {
  readonly services: PortalServices
  /** Asked again for each call: a socket outlives sign-out, revocation and a change of role. */
  authenticate(): Promise<Viewer | null>
  /** Address of the other side. */
  readonly from: string
}

export type Access = 'public' | 'member' | 'admin'

/** The tRPC code nearest to ours; pages read `data.hearth.code`. */
const trpcCodes: Record<ErrorCode, TRPCError['code']> = {
  invalid_input: 'BAD_REQUEST',
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  uniqueness_error: 'CONFLICT',
  locked: 'CONFLICT',
  conflict: 'CONFLICT',
  invalid_state: 'PRECONDITION_FAILED',
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

export interface FieldError {
  path: string
  message: string
}

/** What the person is told of a failed call, and which fields of a form it is about. */
function wireError(error: TRPCError): { hearth: ErrorReport; fields: FieldError[] } {
  const { cause } = error
  if (cause instanceof HearthError) return { hearth: errorReport(cause), fields: [] }
  if (cause instanceof ZodError && error.code === 'BAD_REQUEST') {
    const fields = cause.issues.map((issue) => ({
      path: z.core.toDotPath(issue.path),
      message: issue.message,
    }))
    return {
      hearth: { code: 'invalid_input', message: fields[0]?.message ?? 'That is not valid.' },
      fields,
    }
  }
  if (error.code === 'NOT_FOUND')
    return { hearth: { code: 'not_found', message: 'Hearth does not know that request.' }, fields: [] }
  if (error.code === 'BAD_REQUEST' || error.code === 'PARSE_ERROR')
    return {
      hearth: { code: 'invalid_input', message: 'Hearth could not read the request.' },
      fields: [],
    }
  return { hearth: errorReport(cause ?? error), fields: [] }
}

const t = initTRPC
  .context<TrpcContext>()
  .meta<{ access: Access }>()
  .create({
    transformer: superjson,
    // Stack traces stay in the log, also in development.
    isDev: false,
    defaultMeta: undefined,
    errorFormatter({ shape, error }) {
      const wire = wireError(error)
      return { ...shape, message: wire.hearth.message, data: { ...shape.data, ...wire } }
    },
  })

export const router = t.router

const reported = t.procedure.use(async ({ next }) => {
  const result = await next()
  if (!result.ok && result.error.cause instanceof HearthError) {
    const { cause } = result.error
    throw new TRPCError({ code: trpcCodes[cause.code], message: cause.userMessage, cause })
  }
  return result
})

/** Anyone who can reach the portal. The viewer is there when there is one. */
export const publicProcedure = reported
  .meta({ access: 'public' })
  .use(async ({ ctx, next }) => next({ ctx: { viewer: await ctx.authenticate() } }))

/** Anyone signed in. */
export const memberProcedure = reported.meta({ access: 'member' }).use(async ({ ctx, next }) => {
  const viewer = await ctx.authenticate()
  if (!viewer) throw new HearthError('unauthorized', 'Sign in first.')
  return next({ ctx: { viewer } })
})

/** Administrators of the home. */
export const adminProcedure = reported.meta({ access: 'admin' }).use(async ({ ctx, next }) => {
  const viewer = await ctx.authenticate()
  if (!viewer) throw new HearthError('unauthorized', 'Sign in first.')
  if (viewer.role !== 'admin') throw new HearthError('forbidden', 'Only an administrator can do that.')
  return next({ ctx: { viewer } })
})
