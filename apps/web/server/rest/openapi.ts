/** The description of the API, made of the very schemas that validate. */
import { z } from 'zod'
import { changes } from '../auth/privilege.ts'
import { errorBodySchema, restErrors } from './errors.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>

export function openApi(routes: readonly Route[], version: string, origin: string): Json {
  const paths: Record<string, Json> = {}
  const components: Json = { Error: toJson(errorBodySchema, 'output', {}) }
  for (const route of routes) {
    paths[route.pattern] ??= {}
    paths[route.pattern]![route.method.toLowerCase()] = operation(route, components)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hearth API',
      version,
      summary: 'Servers at home, in the model of the Hetzner Cloud API.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: `${origin}/api/v1` }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token made in the portal' },
      },
    },
  }
}

function operation(route: Route, components: Json): Json {
  const schema = (type: z.ZodType, io: 'input' | 'output') => toJson(type, io, components)
  const parameters = [
    ...parametersOf(route.path, 'path', components),
    ...parametersOf(route.query, 'query', components),
    ...(route.method === 'GET'
      ? []
      : [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            description: 'The same key again returns the first result.',
            schema: { type: 'string', minLength: 8, maxLength: 128 },
          },
        ]),
  ]
  return {
    operationId: `${route.method.toLowerCase()}_${route.pattern.replace(/\W+/g, '_').replace(/^_|_$/g, '')}`,
    summary: route.summary,
    tags: [route.tag],
    'x-scope': changes(route.privilege) ? 'write' : 'read',
    parameters,
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schema(route.body, 'input') } },
          },
        }
      : {}),
    responses: {
      [route.status]: {
        description: 'Success',
        ...(route.response
          ? { content: { 'application/json': { schema: schema(route.response, 'output') } } }
          : {}),
      },
      ...Object.fromEntries(
        errorStatuses(route).map((status) => [status, errorAnswer(codesOf(route, status))]),
      ),
      default: errorAnswer(['service_error']),
    },
  }
}

const errorAnswer = (codes: readonly string[]): Json => ({
  description: `Error: ${codes.join(', ')}`,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
})

/** The errors of which a caller has to think; anything may be refused as `default` says. */
function errorStatuses(route: Route): number[] {
  const writes = changes(route.privilege)
  return [
    ...(route.body ? [400] : []),
    ...[401, 403],
    ...(route.path ? [404] : []),
    ...(writes ? [409] : []),
    ...(writes || route.query ? [422] : []),
    ...(writes && route.path ? [423] : []),
    429,
    ...(writes ? [503] : []),
  ]
}

/** Codes by status: those of the table of errors, and what this adapter itself refuses. */
function codesOf(route: Route, status: number): string[] {
  // A question has nothing to do with disks and hosts.
  if (status === 422 && !changes(route.privilege)) return ['invalid_input']
  if (status === 403 && !changes(route.privilege)) return ['forbidden']
  const own: Readonly<Record<number, string>> = {
    400: 'json_error',
    403: 'token_readonly',
    429: 'rate_limit_exceeded',
  }
  const codes = Object.values(restErrors).flatMap((error) => (error.status === status ? [error.code] : []))
  return [...new Set([...codes, ...(own[status] === undefined ? [] : [own[status]])])]
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query', components: Json): Json[] {
  if (!schema) return []
  const json = toJson(schema, 'input', components)
  const required = (json.required as string[] | undefined) ?? []
  return Object.entries((json.properties as Record<string, Json> | undefined) ?? {}).map(([name, value]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    // Numbers in an address come as text that is coerced; say what is meant.
    schema: Object.keys(value).length === 0 ? { type: 'integer', minimum: 1 } : value,
  }))
}

/** Schemas with an id become components, each once. */
function toJson(type: z.ZodType, io: 'input' | 'output', components: Json): Json {
  const json = z.toJSONSchema(type, { io, target: 'draft-2020-12', unrepresentable: 'any' }) as Json
  const { $defs, $schema: _, ...rest } = json
  for (const [name, definition] of Object.entries(($defs as Json | undefined) ?? {})) {
    const { id: _id, ...body } = definition as Json
    components[name] = relinked(body)
  }
  return relinked(rest) as Json
}

function relinked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relinked)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === '$ref' && typeof item === 'string'
        ? [key, item.replace('#/$defs/', '#/components/schemas/')]
        : [key, relinked(item)],
    ),
  )
}
