/** The REST API under /api/v1: finds the route, checks token, scope and input, and writes the answer or the error. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorReport, HearthError } from '@hearth/shared/errors'
import { z } from 'zod'
import { changes, isResourcePrivilege } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import { addressOf, readBody, respondJson } from '../http/respond.ts'
import { errorText } from '../log.ts'
import { viewerOfToken } from '../services/tokens.ts'
import { idempotencyKeySchema } from '../views/common.ts'
import { actionRoutes } from './actions.ts'
import { backupRoutes } from './backups.ts'
import { catalogueRoutes } from './catalogue.ts'
import { RestError, restErrors } from './errors.ts'
import { imageRoutes } from './images.ts'
import { listRoutes } from './lists.ts'
import { openApi } from './openapi.ts'
import { projectRoutes } from './project.ts'
import { type Allowance, RateLimit } from './rate-limit.ts'
import type { RestContext, Route } from './route.ts'
import { serverExtraRoutes } from './server-extras.ts'
import { serverSettingRoutes } from './server-settings.ts'
import { serverRoutes } from './servers.ts'
import { sshKeyRoutes } from './ssh-keys.ts'
import { uploadRoutes } from './uploads.ts'
import { volumeRoutes } from './volumes.ts'

export const routes: readonly Route[] = [
  ...serverRoutes,
  ...serverExtraRoutes,
  ...serverSettingRoutes,
  ...volumeRoutes,
  ...backupRoutes,
  ...actionRoutes,
  ...catalogueRoutes,
  ...listRoutes,
  ...imageRoutes,
  ...uploadRoutes,
  ...sshKeyRoutes,
  ...projectRoutes,
]

type TokenViewer = Viewer & { token: NonNullable<Viewer['token']> }

const prefix = '/api/v1'
const maxBody = 1024 * 1024
const hour = 3600_000

export function createRestApi(rest: RestContext) {
  const { db, log, version } = rest.context
  const requests = new RateLimit(3600, hour)
  /** Wrong tokens from one address: guessing is hopeless, and this keeps it cheap. */
  const failures = new RateLimit(60, 10 * 60_000)
  const table = routes.map((route) => ({ route, expression: expressionOf(route.pattern) }))

  return async (request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> => {
    response.setHeader('x-correlation-id', randomUUID())
    try {
      const url = new URL(request.url ?? '/', origin)
      const path = url.pathname.slice(prefix.length)
      if (path === '/openapi.json' && request.method === 'GET') {
        respondJson(response, 200, openApi(routes, version, origin))
        return
      }
      const viewer = await authenticate(request, response)
      const matches = table.flatMap(({ route, expression }) => {
        const match = expression.exec(path)
        return match ? [{ route, path: { ...match.groups } }] : []
      })
      const found = matches.find(({ route }) => route.method === request.method)
      if (!found) {
        if (matches.length === 0)
          throw new RestError(404, 'not_found', `There is nothing at ${url.pathname}.`)
        const allowed = matches.map(({ route }) => route.method).join(', ')
        response.setHeader('allow', allowed)
        throw new RestError(405, 'method_not_allowed', `${url.pathname} takes ${allowed}.`)
      }
      await answer(found.route, found.path, url, viewer, request, response)
    } catch (error) {
      respondError(response, error)
    }
  }

  async function authenticate(request: IncomingMessage, response: ServerResponse): Promise<TokenViewer> {
    const from = addressOf(request)
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const viewer = token === undefined ? null : await viewerOfToken(db, token, from)
    if (!viewer?.token) {
      // Only who fails is held back: a script with a good token goes on beside one with a bad one.
      if (!failures.take(from).allowed)
        throw new RestError(429, 'rate_limit_exceeded', 'Too many wrong tokens. Try again in a few minutes.')
      response.setHeader('www-authenticate', 'Bearer')
      throw new RestError(
        401,
        'unauthorized',
        token === undefined
          ? 'Send an API token: Authorization: Bearer hearth_…'
          : 'This API token is unknown, expired or revoked.',
      )
    }
    const allowance = requests.take(String(viewer.token.id))
    setRateLimitHeaders(response, allowance)
    if (!allowance.allowed)
      throw new RestError(429, 'rate_limit_exceeded', 'Too many requests with this token. Slow down.')
    return { ...viewer, token: viewer.token }
  }

  async function answer(
    route: Route,
    path: Record<string, string>,
    url: URL,
    viewer: TokenViewer,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (changes(route.privilege) && viewer.token.scope !== 'write')
      throw new RestError(403, 'token_readonly', 'This token may only read. Make one that may write.')
    await rest.services.access.ensure(viewer, route.privilege, addressed(route, path))
    const input = {
      path: route.path ? parsePath(route.path, path) : undefined,
      query: route.query ? parse(route.query, queryOf(url, route.query)) : undefined,
      body: route.body ? parse(route.body, await jsonBody(request)) : undefined,
      viewer,
      projectId: viewer.token.projectId,
      idempotencyKey: idempotencyKeyOf(request),
    }
    const result = await route.handle(rest, input)
    if (!route.response) {
      response.writeHead(route.status).end()
      return
    }
    // What does not fit its own description is our mistake, and found by the tests.
    respondJson(response, route.status, route.response.parse(result))
  }

  function respondError(response: ServerResponse, error: unknown): void {
    let known: RestError
    if (error instanceof RestError) known = error
    else {
      const report = errorReport(error)
      const { status, code } = restErrors[report.code]
      known = new RestError(status, code, report.message)
      if (!(error instanceof HearthError)) log.error('an API request failed', { error: errorText(error) })
    }
    if (response.headersSent) response.destroy()
    else {
      // Of a request that was refused unread the rest is not waited for.
      if (known.status === 413) response.setHeader('connection', 'close')
      respondJson(response, known.status, known.body)
    }
  }
}

function setRateLimitHeaders(response: ServerResponse, { limit, remaining, reset }: Allowance): void {
  response.setHeader('ratelimit-limit', limit)
  response.setHeader('ratelimit-remaining', remaining)
  response.setHeader('ratelimit-reset', reset)
}

/** `/servers/{id}` → a regular expression with a named group for each name in braces. */
/** Whatever a pattern names is an id; a word in its place, such as an action Hearth does not have, is not there. */
function expressionOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.replace(/\{(\w+)\}/g, '(?<$1>\\d+)')}/?$`)
}

/** What may be given several times is a list even when given once. */
function queryOf(url: URL, schema: z.ZodObject): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {}
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name)
    const field = schema.shape[name]
    const isList = field instanceof z.ZodDefault && field.def.innerType instanceof z.ZodArray
    query[name] = isList ? values : values.at(-1)!
  }
  return query
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(request, maxBody).catch((error: unknown) => {
    if (error instanceof HearthError)
      throw new RestError(413, 'request_too_large', 'A request body has at most 1 MiB.')
    throw error
  })
  const type = request.headers['content-type'] ?? 'application/json'
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new RestError(415, 'unsupported_media_type', 'Send JSON: Content-Type: application/json.')
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new RestError(400, 'json_error', `The request body is not valid JSON: ${why}`)
  }
}

function parse(schema: z.ZodObject, value: unknown): unknown {
  const parsed = schema.safeParse(value, {
    error: ({ input }) => (input === undefined ? 'This is missing.' : undefined),
  })
  if (parsed.success) return parsed.data
  const fields = new Map<string, string[]>()
  for (const { path, message } of parsed.error.issues) {
    const name = z.core.toDotPath(path)
    fields.set(name, [...(fields.get(name) ?? []), message])
  }
  const list = [...fields].map(([name, messages]) => ({ name, messages }))
  const first = list[0]
  const text = first
    ? `${first.name ? `${first.name}: ` : ''}${first.messages[0]}`
    : 'The input is not valid.'
  throw new RestError(422, 'invalid_input', text, list)
}

/** The id in an address that the route's privilege is about. */
function addressed({ privilege }: Route, path: Record<string, string>): Record<string, number> {
  const text = isResourcePrivilege(privilege) ? path[privilege.key] : undefined
  if (text === undefined || !isResourcePrivilege(privilege)) return {}
  if (!/^[1-9]\d{0,14}$/.test(text)) throw nothingThere()
  return { [privilege.key]: Number(text) }
}

const nothingThere = () => new RestError(404, 'not_found', 'There is nothing with that id.')

/** An id that is none names nothing. */
function parsePath(schema: z.ZodObject, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw nothingThere()
}

function idempotencyKeyOf(request: IncomingMessage): string {
  const given = request.headers['idempotency-key']
  if (given === undefined) return randomUUID()
  const parsed = idempotencyKeySchema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new RestError(422, 'invalid_input', 'An Idempotency-Key has 8 to 128 letters, digits and . : _ -', [])
}
