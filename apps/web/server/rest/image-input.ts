/** What a script says of an image that it brings to the home, whichever way it comes. */
import { z } from 'zod'
import { RestError } from './errors.ts'

export const imageFacts = {
  checksum: z.string().nullish().describe('SHA-256 or SHA-512, hexadecimal'),
  login_user: z.string().nullish().describe('The user cloud-init makes; none: the image has no cloud-init'),
  description: z.string().max(500).default(''),
}

/** The same as the portal's own forms have it, or the refusal with the field it is about. */
export function imageInput<Schema extends z.ZodType>(
  schema: Schema,
  { login_user: loginUser = null, ...facts }: { login_user?: string | null | undefined } & object,
): z.output<Schema> {
  const input = schema.safeParse({ ...facts, loginUser, cloudInit: loginUser !== null })
  if (input.success) return input.data
  const [issue] = input.error.issues
  throw new RestError(422, 'invalid_input', `${String(issue?.path[0] ?? 'body')}: ${issue?.message}`)
}
