/**
 * Sign-in, sessions and passwords by better-auth over our database. It answers at `/api/auth/*` in this process;
 * nobody can sign up: the first administrator comes by the set-up link.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { passkey } from '@better-auth/passkey'
import { betterAuth } from 'better-auth'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { APIError, createAuthMiddleware, getSessionFromCtx } from 'better-auth/api'
import { twoFactor } from 'better-auth/plugins/two-factor'
import type { Database } from '../db/client.ts'
import type { Provider } from '../db/paths.ts'
import { ownOrigin, type PortalNames } from '../http/origin.ts'
import { errorText, type Log } from '../log.ts'
import { minPasswordLength, roleSchema } from '../views/session.ts'
import { type OidcConfig, oidcPlugin, oidcProvider } from './oidc.ts'
import { isConfirmed, type Viewer } from './viewer.ts'

/** Set by our server from the socket, after removing whatever the client sent under that name. */
export const addressHeader = 'x-hearth-address'

export interface AuthEvents {
  signedIn(user: { id: string; name: string }, from: string): Promise<void>
  signInFailed(email: string, from: string): Promise<void>
  signedOut(session: { id: string; userId: string }): Promise<void>
  /** What somebody changed of how they sign in. */
  securityChanged(user: { id: string; name: string }, what: SecurityChange, from: string): Promise<void>
}

/** The library's addresses that change how somebody signs in, and what the activity says of them. */
const securityChanges = {
  '/two-factor/verify-totp': 'Codes from an app are asked for at sign-in',
  '/two-factor/disable': 'Codes are no longer asked for at sign-in',
  '/two-factor/generate-backup-codes': 'Made new recovery codes',
  '/passkey/verify-registration': 'Added a passkey',
  '/passkey/delete-passkey': 'Removed a passkey',
  '/change-password': 'Changed the password',
} as const
type SecurityChange = (typeof securityChanges)[keyof typeof securityChanges]

/** What the library would do for any session, and we only for one that has lately shown whose it is. */
const confirmedOnly = [
  '/passkey/generate-register-options',
  '/passkey/verify-registration',
  '/passkey/delete-passkey',
]

export interface Auth {
  /** Answers a request under /api/auth/. */
  handle(request: Request): Promise<Response>
  viewer(headers: IncomingHttpHeaders, from: string): Promise<Viewer | null>
  hashPassword(password: string): Promise<string>
  verifyPassword(userId: string, password: string): Promise<boolean>
}

/** Turning the second factor on or off puts a new session in the old one's place: nobody came or went. */
function changesSession(path: string | undefined): boolean {
  return path === '/two-factor/disable' || path === '/two-factor/enable' || path === '/change-password'
}

export function createAuth(options: {
  db: Database
  provider: Provider
  secret: string
  names: PortalNames
  events: AuthEvents
  log: Log
  oidc: OidcConfig | null
}): Auth {
  const { db, provider, names, events, log } = options
  const auth = betterAuth({
    appName: 'Hearth',
    secret: options.secret,
    basePath: '/api/auth',
    // No fixed address: the portal is reached under several names, each checked by `ownOrigin`.
    trustedOrigins: (request) => {
      const own = request ? ownOrigin(names, { host: request.headers.get('host') ?? '' }) : undefined
      return own ? [own] : []
    },
    database: prismaAdapter(db, { provider }),
    telemetry: { enabled: false },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength,
      maxPasswordLength: 128,
      revokeSessionsOnPasswordReset: true,
    },
    user: { additionalFields: { role: { type: 'string', input: false, defaultValue: 'member' } } },
    session: {
      expiresIn: 30 * 24 * 3600,
      updateAge: 24 * 3600,
      // Ours is stricter, and asks for the password instead of for a new session: see confirmedOnly.
      freshAge: 0,
    },
    account: {
      // The provider's word that an address is somebody's is enough: the home chose it.
      accountLinking: { enabled: true, trustedProviders: [oidcProvider] },
    },
    plugins: [
      ...(options.oidc ? [oidcPlugin(options.oidc)] : []),
      twoFactor({
        issuer: 'Hearth',
        // Ten codes of ten characters; each works once.
        backupCodeOptions: { amount: 10, length: 10, storeBackupCodes: 'encrypted' },
      }),
      passkey({
        rpName: 'Hearth',
        // A passkey belongs to a name. On loopback that is localhost: an address cannot have any.
        rpID: names.hostname ?? 'localhost',
        origin: null,
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        authentication: {
          // A passkey stands for password and second factor together: so it has to know its owner.
          afterVerification: async ({ verification }) => {
            if (!verification.authenticationInfo.userVerified)
              throw new APIError('UNAUTHORIZED', { message: 'The passkey did not check who you are.' })
          },
        },
      }),
    ],
    rateLimit: {
      enabled: true,
      storage: 'database',
      window: 60,
      max: 240,
      // Password guessing: ten attempts a minute from one address.
      customRules: Object.fromEntries(
        [
          '/sign-in/email',
          '/change-password',
          '/two-factor/enable',
          '/two-factor/disable',
          '/two-factor/generate-backup-codes',
          '/two-factor/verify-totp',
          '/two-factor/verify-backup-code',
          '/passkey/verify-authentication',
        ].map((path) => [path, { window: 60, max: 10 }]),
      ),
    },
    advanced: {
      cookiePrefix: 'hearth',
      useSecureCookies: names.tls,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', secure: names.tls, path: '/' },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    logger: {
      level: 'error',
      log: (_level, message) => log.error(message),
    },
    databaseHooks: {
      session: {
        create: {
          after: async (session, context) => {
            const user = await db.user.findUnique({ where: { id: session.userId } })
            // With a second factor the password alone opens a session only for a moment, and closes it again.
            if (user?.twoFactorEnabled && context?.path === '/sign-in/email') return
            if (changesSession(context?.path)) return
            // The first code of an app that was just set up, given by who is signed in.
            if (context?.path === '/two-factor/verify-totp' && context.context.session) return
            if (user) await events.signedIn(user, session.ipAddress ?? '')
          },
        },
        delete: {
          after: async (session, context) => {
            const { path } = context ?? {}
            if (path === '/sign-in/email' || path === '/two-factor/verify-totp' || changesSession(path))
              return
            await events.signedOut(session)
          },
        },
      },
    },
    hooks: {
      before: createAuthMiddleware(async (context) => {
        if (!confirmedOnly.includes(context.path)) return
        const found = await getSessionFromCtx(context)
        if (!found) throw new APIError('UNAUTHORIZED')
        const session = await db.session.findUnique({ where: { id: found.session.id } })
        if (!session || !isConfirmed(session.confirmedAt ?? session.createdAt))
          throw new APIError('FORBIDDEN', { code: 'CONFIRM_IDENTITY', message: 'Show that it is you first.' })
      }),
      after: createAuthMiddleware(async (context) => {
        const what = securityChanges[context.path as keyof typeof securityChanges]
        const person = context.context.session?.user
        if (what && person && !(context.context.returned instanceof APIError))
          await events.securityChanged(person, what, context.headers?.get(addressHeader) ?? '')
        if (context.path !== '/sign-in/email' || !(context.context.returned instanceof APIError)) return
        const email = context.body && typeof context.body.email === 'string' ? context.body.email : ''
        await events.signInFailed(email, context.headers?.get(addressHeader) ?? '')
      }),
    },
  })

  return {
    handle: (request) => auth.handler(request),

    async viewer(headers, from) {
      if (!headers.cookie) return null
      const found = await auth.api
        .getSession({
          headers: new Headers({ cookie: headers.cookie, host: headers.host ?? '' }),
          // Asking on behalf of a socket that lives for hours is not using the portal: it extends nothing.
          query: { disableRefresh: true },
        })
        .catch((error: unknown) => {
          log.warn('a session could not be read', { error: errorText(error) })
          return null
        })
      if (!found) return null
      const { user, session } = found
      return {
        userId: user.id,
        name: user.name,
        email: user.email,
        role: roleSchema.catch('member').parse(user.role),
        sessionId: session.id,
        token: null,
        confirmedAt:
          (await db.session.findUnique({ where: { id: session.id } }))?.confirmedAt ?? session.createdAt,
        from,
      }
    },

    async verifyPassword(userId, password) {
      const account = await db.account.findFirst({ where: { userId, providerId: 'credential' } })
      if (!account?.password) return false
      return (await auth.$context).password.verify({ hash: account.password, password })
    },

    async hashPassword(password) {
      return (await auth.$context).password.hash(password)
    },
  }
}
