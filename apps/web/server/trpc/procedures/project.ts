import { z } from 'zod'
import {
  homeSettingsSchema,
  homeUpdateInputSchema,
  invitationAcceptedSchema,
  invitationCheckSchema,
  invitationCreatedSchema,
  invitationCreateInputSchema,
  invitationRefInputSchema,
  invitationRegisterInputSchema,
  invitationTokenInputSchema,
  invitationViewSchema,
  memberRefInputSchema,
  memberRoleInputSchema,
  memberViewSchema,
  personRefInputSchema,
  personRoleInputSchema,
  personViewSchema,
  projectCreateInputSchema,
  projectDeleteInputSchema,
  projectRefInputSchema,
  projectRenameInputSchema,
  projectViewSchema,
  quotaAnswerInputSchema,
  quotaRequestInputSchema,
  quotaRequestSchema,
  quotaSetInputSchema,
} from '../../views/project.ts'
import {
  adminProcedure,
  confirmed,
  personProcedure,
  procedureOn,
  projectProcedure,
  publicProcedure,
  router,
} from '../trpc.ts'
import { untilDone } from './watch.ts'

export const projectRouter = router({
  list: personProcedure
    .output(z.array(projectViewSchema))
    .query(({ ctx }) => ctx.services.projects.list(ctx.viewer)),
  watch: personProcedure.subscription(({ ctx, signal }) =>
    untilDone(signal, (until) => ctx.services.projects.watch(ctx.viewer, until)),
  ),
  create: adminProcedure
    .input(projectCreateInputSchema)
    .output(projectViewSchema)
    .mutation(({ ctx, input }) => ctx.services.projects.create(ctx.viewer, input.name)),
  rename: projectProcedure('owner')
    .input(projectRenameInputSchema)
    .output(projectViewSchema)
    .mutation(({ ctx, input }) => ctx.services.projects.rename(ctx.viewer, ctx.projectId, input.name)),
  delete: adminProcedure
    .use(confirmed)
    .input(projectDeleteInputSchema)
    .mutation(({ ctx, input }) =>
      ctx.services.projects.delete(ctx.viewer, input.projectId, input.confirmName),
    ),
  members: projectProcedure('viewer')
    .input(projectRefInputSchema)
    .output(z.array(memberViewSchema))
    .query(({ ctx }) => ctx.services.members.list(ctx.viewer, ctx.projectId)),
  setRole: projectProcedure('owner')
    .input(memberRoleInputSchema)
    .mutation(({ ctx, input }) =>
      ctx.services.members.setRole(ctx.viewer, ctx.projectId, input.userId, input.role),
    ),
  removeMember: projectProcedure('owner')
    .input(memberRefInputSchema)
    .mutation(({ ctx, input }) => ctx.services.members.remove(ctx.viewer, ctx.projectId, input.userId)),
  leave: projectProcedure('viewer')
    .input(projectRefInputSchema)
    .mutation(({ ctx }) => ctx.services.members.leave(ctx.viewer, ctx.projectId)),
})

export const invitationRouter = router({
  list: projectProcedure('owner')
    .input(projectRefInputSchema)
    .output(z.array(invitationViewSchema))
    .query(({ ctx }) => ctx.services.invitations.list(ctx.projectId)),
  create: projectProcedure('owner')
    .input(invitationCreateInputSchema)
    .output(invitationCreatedSchema)
    .mutation(({ ctx, input }) => ctx.services.invitations.create(ctx.viewer, ctx.projectId, input)),
  revoke: projectProcedure('owner')
    .input(invitationRefInputSchema)
    .mutation(({ ctx, input }) =>
      ctx.services.invitations.revoke(ctx.viewer, ctx.projectId, input.invitationId),
    ),
  /** Whoever holds the link may know where it leads. */
  check: publicProcedure
    .input(invitationTokenInputSchema)
    .output(invitationCheckSchema)
    .query(({ ctx, input }) => ctx.services.invitations.check(input.token)),
  accept: personProcedure
    .input(invitationTokenInputSchema)
    .output(invitationAcceptedSchema)
    .mutation(({ ctx, input }) => ctx.services.invitations.accept(ctx.viewer, input.token)),
  /** Makes an account; the page then signs in with the same e-mail and password. */
  register: publicProcedure
    .input(invitationRegisterInputSchema)
    .output(invitationAcceptedSchema)
    .mutation(({ ctx, input }) => ctx.services.invitations.register(input, ctx.from)),
})

export const quotaRouter = router({
  set: adminProcedure
    .input(quotaSetInputSchema)
    .mutation(({ ctx, input }) => ctx.services.quota.set(ctx.viewer, input.projectId, input.limits)),
  /** One click of a member who was refused. */
  request: projectProcedure('member')
    .input(quotaRequestInputSchema)
    .output(quotaRequestSchema)
    .mutation(({ ctx, input }) => ctx.services.quota.request(ctx.viewer, ctx.projectId, input)),
  /** An owner may decline, an administrator also grant. */
  answer: procedureOn('quota_request', 'owner')
    .input(quotaAnswerInputSchema)
    .mutation(({ ctx, input }) => ctx.services.quota.answer(ctx.viewer, input.id, input)),
})

export const homeRouter = router({
  get: adminProcedure.output(homeSettingsSchema).query(({ ctx }) => ctx.services.home.get()),
  update: adminProcedure
    .input(homeUpdateInputSchema)
    .mutation(({ ctx, input }) => ctx.services.home.update(ctx.viewer, input)),
})

export const personRouter = router({
  list: adminProcedure
    .output(z.array(personViewSchema))
    .query(({ ctx }) => ctx.services.persons.list(ctx.viewer)),
  setRole: adminProcedure
    .use(confirmed)
    .input(personRoleInputSchema)
    .mutation(({ ctx, input }) => ctx.services.persons.setRole(ctx.viewer, input.userId, input.role)),
  remove: adminProcedure
    .use(confirmed)
    .input(personRefInputSchema)
    .mutation(({ ctx, input }) => ctx.services.persons.delete(ctx.viewer, input.userId)),
})
