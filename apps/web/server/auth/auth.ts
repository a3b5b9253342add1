/**
 * Sign-in, sessions and passwords by better-auth over our database. It answers at `/api/auth/*` in this process;
 * nobody can sign up: the first administrator comes by the set-up link.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { betterAuth } from 'better-auth'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import type { Database } from '../db/client.ts'
import { ownOrigin, type PortalNames } from '../http/origin.ts'
import { errorText, type Log } from '../log.ts'
import { minPasswordLength, roleSchema } from '../views/session.ts'
import type { Viewer } from './viewer.ts'

/** Set by our server from the socket, after removing whatever the client sent under that name. */
export const addressHeader = 'x-hearth-address'

export interface AuthEvents {
  signedIn(user: { id: string; name: string }, from: string): Promise<void>
  signInFailed(email: string, from: string): Promise<void>
  signedOut(session: { id: string; userId: string }): Promise<void>
}

export interface Auth {
  /** Answers a request under /api/auth/. */
  handle(request: Request): Promise<Response>
  viewer(headers: IncomingHttpHeaders, from: string): Promise<Viewer | null>
  hashPassword(password: string): Promise<string>
}

export function createAuth(options: {
  db: Database
  secret: string
  names: PortalNames
  events: AuthEvents
  log: Log
}): Auth {
  const { db, names, events, log } = options
  const auth = betterAuth({
    appName: 'Hearth',
    secret: options.secret,
    basePath: '/api/auth',
    // No fixed address: the portal is reached under several names, each checked by `ownOrigin`.
    trustedOrigins: (request) => {
      const own = request ? ownOrigin(names, { host: request.headers.get('host') ?? '' }) : undefined
      return own ? [own] : []
    },
    database: prismaAdapter(db, { provider: 'sqlite' }),
    telemetry: { enabled: false },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength,
      maxPasswordLength: 128,
      revokeSessionsOnPasswordReset: true,
    },
    user: { additionalFields: { role: { type: 'string', input: false, defaultValue: 'member' } } },
    session: { expiresIn: 30 * 24 * 3600, updateAge: 24 * 3600 },
    rateLimit: {
      enabled: true,
      storage: 'database',
      window: 60,
      max: 240,
      // Password guessing: ten attempts a minute from one address.
      customRules: { '/sign-in/email': { window: 60, max: 10 }, '/change-password': { window: 60, max: 10 } },
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
          after: async (session) => {
            const user = await db.user.findUnique({ where: { id: session.userId } })
            if (user) await events.signedIn(user, session.ipAddress ?? '')
          },
        },
        delete: { after: async (session) => events.signedOut(session) },
      },
    },
    hooks: {
      after: createAuthMiddleware(async (context) => {
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
        from,
      }
    },

    async hashPassword(password) {
      return (await auth.$context).password.hash(password)
    },
  }
}
