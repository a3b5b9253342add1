import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { projectRefSchema, timeSchema } from './common.ts'
import { displayNameSchema } from './ssh-key.ts'

/** `write` may do everything `read` may. */
export const tokenScopeSchema = z.enum(['read', 'write'])
export type TokenScope = z.infer<typeof tokenScopeSchema>

export const tokenViewSchema = z.object({
  id: idSchema,
  project: projectRefSchema,
  name: z.string(),
  /** The first characters, to tell tokens apart: `hearth_Ab3d…`. */
  prefix: z.string(),
  scope: tokenScopeSchema,
  expiresAt: timeSchema.nullable(),
  expired: z.boolean(),
  lastUsedAt: timeSchema.nullable(),
  createdAt: timeSchema,
})
export type TokenView = z.infer<typeof tokenViewSchema>

export const tokenCreateInputSchema = z.object({
  /** The one project it will act in; absent: the person's own. */
  projectId: idSchema.optional(),
  name: displayNameSchema,
  scope: tokenScopeSchema,
  /** Days until it expires; null for one that does not. */
  expiresInDays: z.int().min(1).max(3650).nullable(),
})
/** `secret` is shown this once; only its hash is kept. */
export const tokenCreatedSchema = z.object({ token: tokenViewSchema, secret: z.string() })
