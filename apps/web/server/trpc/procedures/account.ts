import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { consoleOpenInputSchema, consoleTicketSchema, displayOpenInputSchema } from '../../views/session.ts'
import { sshKeyCreateInputSchema, sshKeyViewSchema } from '../../views/ssh-key.ts'
import { tokenCreatedSchema, tokenCreateInputSchema, tokenViewSchema } from '../../views/token.ts'
import { confirmed, personProcedure, procedureOn, projectProcedure, router } from '../trpc.ts'

const refSchema = z.object({ id: idSchema })

export const sshKeyRouter = router({
  list: personProcedure
    .output(z.array(sshKeyViewSchema))
    .query(({ ctx }) => ctx.services.sshKeys.list(ctx.viewer)),
  create: projectProcedure('member')
    .input(sshKeyCreateInputSchema)
    .output(sshKeyViewSchema)
    .mutation(({ ctx, input }) => ctx.services.sshKeys.create(ctx.viewer, ctx.projectId, input)),
  delete: procedureOn('ssh_key', 'member')
    .input(refSchema)
    .mutation(({ ctx, input }) => ctx.services.sshKeys.delete(ctx.viewer, input.id)),
})

export const tokenRouter = router({
  list: personProcedure
    .output(z.array(tokenViewSchema))
    .query(({ ctx }) => ctx.services.tokens.list(ctx.viewer)),
  /** A token has at most the role of whoever makes it, so that a viewer may have one that reads. */
  create: projectProcedure('viewer')
    .use(confirmed)
    .input(tokenCreateInputSchema)
    .output(tokenCreatedSchema)
    .mutation(({ ctx, input }) => ctx.services.tokens.create(ctx.viewer, ctx.projectId, input)),
  /** One's own, whatever its project. */
  revoke: personProcedure
    .input(refSchema)
    .mutation(({ ctx, input }) => ctx.services.tokens.revoke(ctx.viewer, input.id)),
})

export const consoleRouter = router({
  open: procedureOn('vm', 'member', 'vmId')
    .input(consoleOpenInputSchema)
    .output(consoleTicketSchema)
    .mutation(({ ctx, input }) => ctx.services.consoles.open(ctx.viewer, input.vmId)),
  /** Whoever may see a VM may see its screen; members may also type. */
  openDisplay: procedureOn('vm', 'viewer', 'vmId')
    .input(displayOpenInputSchema)
    .output(consoleTicketSchema)
    .mutation(({ ctx, input }) => ctx.services.consoles.openDisplay(ctx.viewer, input)),
})
