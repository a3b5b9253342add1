/**
 * What the portal shows of its things: the output schemas that tRPC and the pages share. Pure (no I/O), so a page
 * may import a schema or a type from here. Times are ISO 8601 UTC with milliseconds; sizes are bytes.
 */
import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'

export const timeSchema = z.iso.datetime({ precision: 3 })

/** Whether something can be done now and, when it cannot, why: the sentence a disabled control shows. */
export const abilitySchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), why: z.null() }),
  z.object({ ok: z.literal(false), why: z.string() }),
])
export type Ability = z.infer<typeof abilitySchema>

export const can: Ability = { ok: true, why: null }
export const cannot = (why: string): Ability => ({ ok: false, why })

/** Who did something: a person in the portal, a script with a token, or Hearth itself. */
export const actorSchema = z.object({ kind: z.enum(['user', 'token', 'system']), name: z.string() })
export type Actor = z.infer<typeof actorSchema>

export const projectRefSchema = z.object({ id: idSchema, name: z.string() })
/** What is done in a project; without `projectId`, in the person's own. */
export const inProjectInputSchema = z.object({ projectId: idSchema.optional() }).default({})

export const vmRefSchema = z.object({ id: idSchema, name: z.string() })
export const imageRefSchema = z.object({ uid: z.string(), name: z.string() })

/** Chosen by the caller for each intent; the same key again returns the first result. */
export const idempotencyKeySchema = z
  .string()
  .min(8)
  .max(128)
  .regex(/^[\w.:-]+$/)
