import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { projectRoleSchema } from '../auth/privilege.ts'
import { projectRefSchema } from './common.ts'
import { displayNameSchema } from './ssh-key.ts'

export const roleSchema = z.enum(['admin', 'member'])
export type Role = z.infer<typeof roleSchema>

export const sessionViewSchema = z.object({
  user: z
    .object({
      id: z.string(),
      name: z.string(),
      email: z.string(),
      role: roleSchema,
      /** Whether codes are asked for at sign-in. */
      twoFactor: z.boolean(),
    })
    .nullable(),
  /** The projects the person sees, each with their role in it; an administrator is an owner of each. */
  projects: z.array(projectRefSchema.extend({ role: projectRoleSchema })),
  homeName: z.string(),
  /** No administrator yet: the set-up link is the only way in. */
  setupNeeded: z.boolean(),
  version: z.string(),
  /** Whether the portal has a certificate authority of its own to trust (`/ca.crt`, page `/trust`). */
  tls: z.boolean(),
  /** The host name passkeys belong to; a page under any other name has none. */
  passkeyName: z.string(),
  /** The identity provider one may also sign in by; null without one. */
  oidcName: z.string().nullable(),
})
export type SessionView = z.infer<typeof sessionViewSchema>

export const minPasswordLength = 10

export const setupTokenInputSchema = z.object({ token: z.string().max(200) })
/** `expired` and `used` tell the person to start Hearth again for a new link. */
export const setupCheckSchema = z.object({ status: z.enum(['valid', 'invalid', 'expired', 'done']) })

export const setupCompleteInputSchema = setupTokenInputSchema.extend({
  homeName: displayNameSchema,
  name: displayNameSchema,
  email: z.email('Give an e-mail address.').max(254),
  password: z
    .string()
    .min(minPasswordLength, `A password has at least ${minPasswordLength} characters.`)
    .max(128, 'A password has at most 128 characters.'),
})
export type SetupCompleteInput = z.infer<typeof setupCompleteInputSchema>

export const confirmInputSchema = z.object({ password: z.string().max(128) })

export const consoleOpenInputSchema = z.object({ vmId: idSchema })
export const displayOpenInputSchema = z.object({
  vmId: idSchema,
  /** Made by the page once: with the same one it takes its old connection's place instead of a second. */
  tab: z.string().regex(/^[a-z0-9]{8,32}$/),
})
/** `url` is a path of this origin, for a WebSocket; the ticket in it works once, within 30 seconds. */
export const consoleTicketSchema = z.object({ ticket: z.string(), url: z.string() })
