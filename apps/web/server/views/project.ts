import { idSchema } from '@hearth/shared/names'
import { quotaKeys } from '@hearth/shared/quota'
import { z } from 'zod'
import { projectRoleSchema } from '../auth/privilege.ts'
import { abilitySchema, timeSchema } from './common.ts'
import { roleSchema, setupCompleteInputSchema } from './session.ts'
import { displayNameSchema } from './ssh-key.ts'

export const quotaKeySchema = z.enum(quotaKeys)

/** Amounts are counts or bytes, as packages/shared/src/quota.ts says of each key. */
const quotaLineSchema = z.object({
  key: quotaKeySchema,
  used: z.number(),
  /** null: no limit. */
  limit: z.number().nullable(),
  /** Whether the limit is the home's default and not the project's own. */
  isDefault: z.boolean(),
})
export type QuotaLineView = z.infer<typeof quotaLineSchema>

export const quotaRequestSchema = z.object({
  id: idSchema,
  project: z.object({ id: idSchema, name: z.string() }),
  person: z.string(),
  key: quotaKeySchema,
  wanted: z.number(),
  /** The limit there was when it was asked for. */
  limitThen: z.number(),
  reason: z.string(),
  status: z.enum(['open', 'granted', 'declined']),
  answeredBy: z.string().nullable(),
  answer: z.string(),
  createdAt: timeSchema,
  can: z.object({ grant: abilitySchema, decline: abilitySchema }),
})
export type QuotaRequestView = z.infer<typeof quotaRequestSchema>

export const projectViewSchema = z.object({
  id: idSchema,
  name: z.string(),
  /** The viewer's; an administrator is an owner of each. */
  role: projectRoleSchema,
  members: z.int(),
  vms: z.int(),
  running: z.int(),
  quota: z.array(quotaLineSchema),
  /** Open ones, and the viewer's own that were answered of late. */
  requests: z.array(quotaRequestSchema),
  createdAt: timeSchema,
  can: z.object({
    rename: abilitySchema,
    invite: abilitySchema,
    setQuota: abilitySchema,
    delete: abilitySchema,
    leave: abilitySchema,
  }),
})
export type ProjectView = z.infer<typeof projectViewSchema>

export const memberViewSchema = z.object({
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role: projectRoleSchema,
  isAdmin: z.boolean(),
  isYou: z.boolean(),
  since: timeSchema,
})
export type MemberView = z.infer<typeof memberViewSchema>

export const invitationViewSchema = z.object({
  id: idSchema,
  role: projectRoleSchema,
  note: z.string(),
  invitedBy: z.string().nullable(),
  createdAt: timeSchema,
  expiresAt: timeSchema,
  status: z.enum(['open', 'used', 'expired', 'revoked']),
  usedBy: z.string().nullable(),
})
export type InvitationView = z.infer<typeof invitationViewSchema>

export const projectRefInputSchema = z.object({ projectId: idSchema })
export const projectCreateInputSchema = z.object({ name: displayNameSchema })
export const projectRenameInputSchema = projectRefInputSchema.extend({ name: displayNameSchema })
export const projectDeleteInputSchema = projectRefInputSchema.extend({ confirmName: z.string().max(100) })
export const memberRefInputSchema = projectRefInputSchema.extend({ userId: z.string().max(100) })
export const memberRoleInputSchema = memberRefInputSchema.extend({ role: projectRoleSchema })

export const invitationCreateInputSchema = projectRefInputSchema.extend({
  role: projectRoleSchema,
  note: z.string().trim().max(100, 'At most 100 characters.').default(''),
  expiresInDays: z.int().min(1).max(30).default(7),
})
/** `path` holds the token in its fragment and is shown this once; only its hash is kept. */
export const invitationCreatedSchema = z.object({ invitation: invitationViewSchema, path: z.string() })
export const invitationRefInputSchema = projectRefInputSchema.extend({ invitationId: idSchema })

export const invitationTokenInputSchema = z.object({ token: z.string().max(200) })
export const invitationCheckSchema = z.object({
  status: z.enum(['open', 'used', 'expired', 'revoked', 'unknown']),
  /** Of an open one only. */
  project: z.string().nullable(),
  role: projectRoleSchema.nullable(),
  invitedBy: z.string().nullable(),
})
export type InvitationCheck = z.infer<typeof invitationCheckSchema>
/** For who has no account yet; the page then signs in with the same e-mail and password. */
export const invitationRegisterInputSchema = invitationTokenInputSchema.extend(
  setupCompleteInputSchema.pick({ name: true, email: true, password: true }).shape,
)
export const invitationAcceptedSchema = z.object({ projectId: idSchema })

/** null: the home's default. `unlimited` is no limit. */
const limitSchema = z.union([z.int().min(0).max(Number.MAX_SAFE_INTEGER), z.literal('unlimited'), z.null()])
export const quotaSetInputSchema = projectRefInputSchema.extend({
  limits: z.partialRecord(quotaKeySchema, limitSchema),
})
export const quotaRequestInputSchema = projectRefInputSchema.extend({
  key: quotaKeySchema,
  /** The limit asked for, not what is added. */
  wanted: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  reason: z.string().trim().max(500, 'At most 500 characters.').default(''),
})
export const quotaAnswerInputSchema = z.object({
  id: idSchema,
  grant: z.boolean(),
  answer: z.string().trim().max(500, 'At most 500 characters.').default(''),
})

export const homeSettingsSchema = z.object({
  name: z.string(),
  /** How much of a host's memory VMs may have together, in percent of what it has. */
  memoryPercent: z.int(),
  quota: z.array(z.object({ key: quotaKeySchema, limit: z.number().nullable() })),
})
export type HomeSettings = z.infer<typeof homeSettingsSchema>
export const homeUpdateInputSchema = z.object({
  name: displayNameSchema.optional(),
  memoryPercent: z.int().min(50, 'At least 50 %.').max(400, 'At most 400 %.').optional(),
  quota: z
    .partialRecord(
      quotaKeySchema,
      z.union([z.int().min(0).max(Number.MAX_SAFE_INTEGER), z.literal('unlimited')]),
    )
    .optional(),
})

export type HomeUpdate = z.infer<typeof homeUpdateInputSchema>

export const personViewSchema = z.object({
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role: roleSchema,
  isYou: z.boolean(),
  twoFactor: z.boolean(),
  passkeys: z.int(),
  projects: z.array(z.object({ id: idSchema, name: z.string(), role: projectRoleSchema })),
  lastSeenAt: timeSchema.nullable(),
  createdAt: timeSchema,
})
export type PersonView = z.infer<typeof personViewSchema>
export const personRefInputSchema = z.object({ userId: z.string().max(100) })
export const personRoleInputSchema = personRefInputSchema.extend({ role: roleSchema })
