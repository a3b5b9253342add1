/**
 * Sign-in by an OpenID Connect provider that the home has already, as an option: `oidc.json` in the state folder. It
 * opens accounts that exist here, by their e-mail address; it makes none, because who may come is decided by
 * invitations.
 */
import { readFile } from 'node:fs/promises'
import { HearthError } from '@hearth/shared/errors'
import { genericOAuth } from 'better-auth/plugins/generic-oauth'
import { z } from 'zod'

const oidcSchema = z.strictObject({
  /** On the button: "Sign in with …". */
  name: z.string().min(1).max(60),
  issuer: z.url({ protocol: /^https?$/ }),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
})
export type OidcConfig = z.infer<typeof oidcSchema>

export const oidcProvider = 'oidc'

/** Null when there is no such file. */
export async function readOidcConfig(file: string): Promise<OidcConfig | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    return oidcSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new HearthError(
      'invalid_input',
      `${file} has to hold {"name", "issuer", "clientId", "clientSecret"} as JSON. Mend it or take it away.`,
      { cause },
    )
  }
}

export function oidcPlugin(config: OidcConfig) {
  return genericOAuth({
    config: [
      {
        providerId: oidcProvider,
        name: config.name,
        discoveryUrl: `${config.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
        clientId: config.clientId,
        clientSecret: config.clientSecret,
        scopes: ['openid', 'email', 'profile'],
        pkce: true,
        requireIdTokenVerification: true,
        disableSignUp: true,
        disableImplicitSignUp: true,
      },
    ],
  })
}
