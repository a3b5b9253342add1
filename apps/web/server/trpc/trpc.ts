/**
 * Context, error mapping and the procedure builders of the portal's router, from top to bottom. The bare builder is
 * not exported: a procedure is made with one of the builders at the end, and thereby says who may call it.
 */
import { type ErrorReport, errorReport, HearthError } from '@hearth/shared/errors'
import { trpcCodes } from '@hearth/shared/trpc-codes'
import { initTRPC, TRPCError } from '@trpc/server'
import { ZodError, z } from 'zod'
import type { OwnedType, Privilege, ProjectRole } from '../auth/privilege.ts'
import * as privileges from '../auth/privilege.ts'
import { isConfirmed, type Viewer } from '../auth/viewer.ts'
import { QuotaError, type QuotaRefusal } from '../services/quota.ts'
import type { PortalServices } from '../services/types.ts'

export interface TrpcContext {
  readonly services: PortalServices
  /** Asked again for each call: a socket outlives sign-out, revocation and a change of role. */
  authenticate(): Promise<Viewer | null>
  /** Address of the other side. */
  readonly from: string
}

interface FieldError {
  path: string
  message: string
}

/** What the person is told of a failed call, and which fields of a form it is about. */
function wireError(error: TRPCError): {
  hearth: ErrorReport
  fields: FieldError[]
  quota?: QuotaRefusal
} {
  const { cause } = error
  if (cause instanceof QuotaError) return { hearth: errorReport(cause), fields: [], quota: cause.refusal }
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
  .meta<{ privilege: Privilege }>()
  .create({
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
  .meta({ privilege: privileges.anyone })
  .use(async ({ ctx, next }) => next({ ctx: { viewer: await ctx.authenticate() } }))

function declared(privilege: Privilege) {
  return reported.meta({ privilege }).use(async ({ ctx, next, getRawInput }) => {
    const viewer = await ctx.authenticate()
    if (!viewer) throw new HearthError('unauthorized', 'Sign in first.')
    const projectId = await ctx.services.access.ensure(viewer, privilege, await getRawInput())
    return next({ ctx: { viewer, projectId } })
  })
}

/**
 * Anyone signed in: for what is a person's own, and for lists, whose services show what the viewer may see. What names
 * a thing of a project by its id is made with `procedureOn`.
 */
export const personProcedure = declared(privileges.person)

/**
 * Beside the privilege: whoever has signed in, or given their password again, within a quarter of an hour. For what
 * an unlocked laptop must not give away: `adminProcedure.use(confirmed)`.
 */
export const confirmed = t.middleware(({ ctx, next }) => {
  const { viewer } = ctx as unknown as { viewer?: Viewer }
  if (!viewer || !isConfirmed(viewer.confirmedAt))
    throw new HearthError('confirm_identity', 'Give your password again to do that.')
  return next()
})

/** Administrators of the home. */
export const adminProcedure = declared(privileges.home)

/** Whoever has that role in the project of the thing whose id is the input's `key`. */
export const procedureOn = (of: OwnedType, role: ProjectRole, key = 'id') =>
  declared(privileges.on(of, role, key))

/**
 * Whoever has that role in the project that the input names by `projectId`, or, without that, in their own;
 * `ctx.projectId` says which one that is.
 */
export const projectProcedure = (role: ProjectRole) =>
  declared(privileges.inProject(role)).use(({ ctx, next }) => {
    const { projectId } = ctx
    if (projectId === null) throw new Error('a project privilege led to no project')
    return next({ ctx: { projectId } })
  })
