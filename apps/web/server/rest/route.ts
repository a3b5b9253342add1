/**
 * One endpoint: what it is called, what it takes and gives, what it does. The same schemas validate and describe it
 * (OpenAPI). A route without a privilege does not compile.
 */
import type { z } from 'zod'
import type { Privilege } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { ServiceContext } from '../services/context.ts'
import type { PortalServices } from '../services/types.ts'

export interface RestContext {
  readonly services: PortalServices
  readonly context: ServiceContext
}

export interface RouteInput<Path, Query, Body> {
  path: Path
  query: Query
  body: Body
  viewer: Viewer
  /** The token's: all a request does, it does there. */
  projectId: number
  /** Of the `Idempotency-Key` header, or one made up for this request. */
  idempotencyKey: string
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** `/servers/{id}`; each name in braces is a key of `path`. */
  readonly pattern: string
  readonly summary: string
  readonly tag: string
  /** Of whoever the token stands for. One that changes something needs a token that may write. */
  readonly privilege: Privilege
  readonly path?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodObject
  /** Whether a body may be left out. */
  readonly status: 200 | 201 | 204
  readonly response?: z.ZodType
  readonly handle: (rest: RestContext, input: RouteInput<unknown, unknown, unknown>) => Promise<unknown>
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

/** Ties the handler's types to the schemas; the table of routes forgets them again. */
export function route<
  Path extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodObject | undefined = undefined,
  Response extends z.ZodType | undefined = undefined,
>(
  definition: Omit<Route, 'path' | 'query' | 'body' | 'response' | 'handle'> & {
    path?: Path
    query?: Query
    body?: Body
    response?: Response
    handle: (
      rest: RestContext,
      input: RouteInput<Parsed<Path>, Parsed<Query>, Parsed<Body>>,
    ) => Promise<Response extends z.ZodType ? z.input<Response> : undefined>
  },
): Route {
  return definition as unknown as Route
}
