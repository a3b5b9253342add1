import {
  confirmInputSchema,
  sessionViewSchema,
  setupCheckSchema,
  setupCompleteInputSchema,
  setupTokenInputSchema,
} from '../../views/session.ts'
import { personProcedure, publicProcedure, router } from '../trpc.ts'

export const sessionRouter = router({
  get: publicProcedure.output(sessionViewSchema).query(({ ctx }) => ctx.services.session.get(ctx.viewer)),
  /** By the password, before something dangerous. */
  confirm: personProcedure
    .input(confirmInputSchema)
    .mutation(({ ctx, input }) => ctx.services.session.confirm(ctx.viewer, input.password)),
})

export const setupRouter = router({
  check: publicProcedure
    .input(setupTokenInputSchema)
    .output(setupCheckSchema)
    .query(async ({ ctx, input }) => ({ status: await ctx.services.setup.check(input.token) })),
  /** Makes the first administrator. The page then signs in with the same e-mail and password. */
  complete: publicProcedure
    .input(setupCompleteInputSchema)
    .mutation(({ ctx, input }) => ctx.services.setup.complete(input, ctx.from)),
})
