/** The image builder's HTTP side: the three requests of `@hearth/shared/image`. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type BuildEvent, recipeSchema } from '@hearth/shared/image'
import type { BuildQueue } from './build-queue.ts'
import type { RecipeDefinition } from './recipe.ts'

/** A reader takes a connection that is silent for long for dead: the last event is then said again. */
const REPEAT_MS = 20_000

export function builderServer(options: {
  readonly recipes: readonly RecipeDefinition[]
  readonly queue: BuildQueue
  readonly token: string
}): Server {
  const { recipes, queue, token } = options
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://builder')
    const build = /^\/recipes\/([^/]+)\/build$/.exec(pathname)
    request.resume()
    if (pathname === '/healthz') return answer(response, 200, { ok: true })
    if (!authorized(request, token)) return answer(response, 401, { error: 'The token is missing or wrong.' })
    if (request.method === 'GET' && pathname === '/recipes') {
      return answer(
        response,
        200,
        recipes.map((recipe) => recipeSchema.parse(recipe)),
      )
    }
    if (request.method === 'POST' && build) return follow(response, queue, build[1]!)
    return answer(response, 404, { error: 'There is nothing here.' })
  })
}

function follow(response: ServerResponse, queue: BuildQueue, imageUid: string): void {
  let last: BuildEvent | undefined
  const send = (event: BuildEvent): void => {
    last = event
    const final = event.type !== 'progress'
    // A reader that does not keep up misses progress, never the end.
    if (final || !response.writableNeedDrain) response.write(`${JSON.stringify(event)}\n`)
    if (final) response.end()
  }
  let headersSent = false
  const leave = queue.follow(imageUid, (event) => {
    if (!headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    headersSent = true
    send(event)
  })
  if (!leave) {
    answer(response, 404, { error: `There is no recipe ${imageUid}.` })
    return
  }
  const repeat = setInterval(() => {
    if (last && !response.writableEnded) send(last)
  }, REPEAT_MS)
  response.on('close', () => {
    clearInterval(repeat)
    leave()
  })
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

/** Compared by hash, so that neither length nor content shows in the time it takes. */
function authorized(request: IncomingMessage, token: string): boolean {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}
