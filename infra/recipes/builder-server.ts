/** The image builder's HTTP side: the requests of `@hearth/shared/image`. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type BuildEvent, imageImportSchema, recipeSchema } from '@hearth/shared/image'
import { imageUidSchema } from '@hearth/shared/names'
import { forgetDownload, partOf } from '../images/download-parts.ts'
import { ownImageRecipe } from '../images/own-image.ts'
import type { UploadStore } from '../images/uploads.ts'
import { answerUpload } from '../images/uploads-http.ts'
import type { BuildQueue } from './build-queue.ts'
import type { RecipeDefinition } from './recipe.ts'
import { removeImage } from './store.ts'

/** A reader takes a connection that is silent for long for dead: the last event is then said again. */
const REPEAT_MS = 20_000
const maxBody = 64 * 1024

export interface BuilderServerOptions {
  readonly images: string
  readonly recipes: readonly RecipeDefinition[]
  /** Of builds, and of what is fetched. */
  readonly builds: BuildQueue
  readonly fetches: BuildQueue
  readonly uploads: UploadStore
  readonly token: string
}

export function builderServer(options: BuilderServerOptions): Server {
  const { recipes, builds, fetches, uploads, token } = options
  const queueOf = (recipe: RecipeDefinition): BuildQueue => (recipe.source === 'build' ? builds : fetches)

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://builder')
    if (pathname === '/healthz') {
      request.resume()
      return answer(response, 200, { ok: true })
    }
    if (!authorized(request, token)) {
      request.resume()
      return answer(response, 401, { error: 'The token is missing or wrong.' })
    }
    const upload = /^\/uploads\/([^/]+)$/.exec(pathname)?.[1]
    if (upload !== undefined) return void answerUpload(uploads, upload, request, response)
    const imported = /^\/images\/([^/]+)\/import$/.exec(pathname)?.[1]
    if (imported !== undefined && request.method === 'POST') return void take(imported, request, response)
    request.resume()
    if (request.method === 'GET' && pathname === '/recipes') {
      return answer(
        response,
        200,
        recipes.map((recipe) => recipeSchema.parse(recipe)),
      )
    }
    const build = /^\/recipes\/([^/]+)\/build$/.exec(pathname)?.[1]
    if (build !== undefined && request.method === 'POST') {
      const recipe = recipes.find(({ imageUid }) => imageUid === build)
      if (!recipe) return answer(response, 404, { error: `There is no recipe ${build}.` })
      return follow(response, queueOf(recipe), recipe)
    }
    const [, image, work] = /^\/images\/([^/]+)(\/work)?$/.exec(pathname) ?? []
    if (image !== undefined && request.method === 'DELETE' && imageUidSchema.safeParse(image).success)
      return void remove(image, work === undefined, response)
    return answer(response, 404, { error: 'There is nothing here.' })
  })
  // Parts of uploads may come over slow lines; how long one may take is the portal's business.
  server.requestTimeout = 0
  return server

  async function take(imageUid: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = imageImportSchema.safeParse(await readJson(request))
    if (!parsed.success || parsed.data.image.imageUid !== imageUid)
      return answer(response, 400, { error: 'That is no import.' })
    follow(response, fetches, ownImageRecipe(parsed.data))
  }

  /** Stops what is under way for an image and forgets what it fetched; `all`: the image itself goes too. */
  async function remove(imageUid: string, all: boolean, response: ServerResponse): Promise<void> {
    try {
      await fetches.cancel(imageUid)
      await builds.cancel(imageUid)
      await forgetDownload(partOf(options.images, imageUid))
      if (all) await removeImage(options.images, imageUid)
      response.writeHead(204).end()
    } catch (error) {
      console.error(error)
      answer(response, 500, { error: 'It could not be removed.' })
    }
  }
}

function follow(response: ServerResponse, queue: BuildQueue, recipe: RecipeDefinition): void {
  let last: BuildEvent | undefined
  const send = (event: BuildEvent): void => {
    last = event
    const final = event.type !== 'progress'
    // A reader that does not keep up misses progress, never the end.
    if (final || !response.writableNeedDrain) response.write(`${JSON.stringify(event)}\n`)
    if (final) response.end()
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const leave = queue.follow(recipe, send)
  const repeat = setInterval(() => {
    if (last && !response.writableEnded) send(last)
  }, REPEAT_MS)
  response.on('close', () => {
    clearInterval(repeat)
    leave()
  })
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  request.setEncoding('utf8')
  try {
    for await (const chunk of request) {
      text += chunk as string
      if (text.length > maxBody) return undefined
    }
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
