import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { timeSchema } from './common.ts'

export const sshKeyViewSchema = z.object({
  id: idSchema,
  projectId: idSchema,
  name: z.string(),
  /** `ssh-ed25519` … */
  type: z.string(),
  publicKey: z.string(),
  /** `SHA256:…` as ssh-keygen -l shows it. */
  fingerprint: z.string(),
  createdAt: timeSchema,
})
export type SshKeyView = z.infer<typeof sshKeyViewSchema>

export const displayNameSchema = z
  .string()
  .trim()
  .min(1, 'Give it a name.')
  .max(100, 'A name has at most 100 characters.')
  .regex(/^\P{Cc}*$/u, 'A name cannot hold control characters.')

export const sshKeyCreateInputSchema = z.object({
  /** Absent: the person's own. */
  projectId: idSchema.optional(),
  /** Absent: the key's own comment. */
  name: displayNameSchema.optional(),
  publicKey: z.string().max(16 * 1024),
})
