import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { consoleOpenInputSchema, consoleTicketSchema } from '../../views/session.ts'
import { sshKeyCreateInputSchema, sshKeyViewSchema } from '../../views/ssh-key.ts'
import { tokenCreatedSchema, tokenCreateInputSchema, tokenViewSchema } from '../../views/token.ts'
import { memberProcedure, router } from '../trpc.ts'

const refSchema = z.object({ id: idSchema })

export const sshKeyRouter = router({
  list: memberProcedure
    .output(z.array(sshKeyViewSchema))
    .query(({ ctx }) => ctx.services.sshKeys.list(ctx.viewer)),
  create: memberProcedure
    .input(sshKeyCreateInputSchema)
    .output(sshKeyViewSchema)
    .mutation(({ ctx, input }) => ctx.services.sshKeys.create(ctx.viewer, input)),
  delete: memberProcedure
    .input(refSchema)
    .mutation(({ ctx, input }) => ctx.services.sshKeys.delete(ctx.viewer, input.id)),
})

export const tokenRouter = router({
  list: memberProcedure
    .output(z.array(tokenViewSchema))
    .query(({ ctx }) => ctx.services.tokens.list(ctx.viewer)),
  create: memberProcedure
    .input(tokenCreateInputSchema)
    .output(tokenCreatedSchema)
    .mutation(({ ctx, input }) => ctx.services.tokens.create(ctx.viewer, input)),
  revoke: memberProcedure
    .input(refSchema)
    .mutation(({ ctx, input }) => ctx.services.tokens.revoke(ctx.viewer, input.id)),
})

export const consoleRouter = router({
  open: memberProcedure
    .input(consoleOpenInputSchema)
    .output(consoleTicketSchema)
    .mutation(({ ctx, input }) => ctx.services.consoles.open(ctx.viewer, input.vmId)),
})
