/**
 * The image builder's HTTP interface (`@hearth/shared/image`). Builds are long and connections break, so
 * following one means joining it again until it says `done` or `failed`.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { HearthError } from '@hearth/shared/errors'
import {
  type BuildEvent,
  buildEventSchema,
  type ImageImport,
  type Recipe,
  recipeSchema,
  type Transfer,
} from '@hearth/shared/image'
import { z } from 'zod'

const maxBody = 1024 * 1024
const maxLine = 64 * 1024
/** A connection that says nothing for this long is taken for dead; joining again costs nothing. */
const silenceMs = 120_000

export interface FollowOptions {
  signal?: AbortSignal
  onProgress?: (progress: number, step: string, transfer: Transfer | null) => void
  /** Between attempts, growing to ten times as much. */
  retryDelayMs?: number
  /** How long the builder may be unreachable before the build counts as failed. */
  giveUpAfterMs?: number
}

export class BuilderClient {
  readonly #url: string
  readonly #token: string

  constructor(options: { url: string; token: string }) {
    this.#url = options.url
    this.#token = options.token
  }

  async recipes(): Promise<Recipe[]> {
    const response = await this.#open('GET', '/recipes', 10_000)
    let body = ''
    response.setEncoding('utf8')
    for await (const chunk of response) {
      body += chunk as string
      if (body.length > maxBody) throw new Error('the builder sends too much')
    }
    if (response.statusCode !== 200) throw new Error(`the builder answered ${response.statusCode}`)
    return z.array(recipeSchema).parse(JSON.parse(body))
  }

  /** Starts or joins a build and returns when the image is in the store; throws `image_build_failed` with why not. */
  followBuild(imageUid: string, options: FollowOptions = {}): Promise<void> {
    return this.#follow({ path: `/recipes/${encodeURIComponent(imageUid)}/build` }, options)
  }

  /** The same for an image of somebody's own. Asked again, it goes on where it was. */
  followImport(request: ImageImport, options: FollowOptions = {}): Promise<void> {
    const path = `/images/${encodeURIComponent(request.image.imageUid)}/import`
    return this.#follow({ path, body: JSON.stringify(request) }, options)
  }

  /** Stops what is under way for an image and forgets what it fetched. */
  async stopWork(imageUid: string): Promise<void> {
    await this.#delete(`/images/${encodeURIComponent(imageUid)}/work`)
  }

  /** Removes a finished image; also when there is none. */
  async remove(imageUid: string): Promise<void> {
    await this.#delete(`/images/${encodeURIComponent(imageUid)}`)
  }

  /** One request of an upload, passed on as it is; the caller pipes the body in and the answer out. */
  upload(uploadUid: string, method: string, headers: Record<string, string>): ClientRequest {
    return httpRequest(`${this.#url}/uploads/${encodeURIComponent(uploadUid)}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${this.#token}` },
      timeout: silenceMs,
      agent: false,
    })
  }

  async #delete(path: string): Promise<void> {
    const response = await this.#open('DELETE', path, silenceMs)
    response.resume()
    if (response.statusCode !== 204) throw new Error(`the builder answered ${response.statusCode}`)
  }

  async #follow(ask: { path: string; body?: string }, options: FollowOptions): Promise<void> {
    const { signal, onProgress, retryDelayMs = 500, giveUpAfterMs = 120_000 } = options
    let lastContact = Date.now()
    let delay = retryDelayMs
    for (;;) {
      signal?.throwIfAborted()
      let lastEvent: BuildEvent | null = null
      let trouble: unknown = null
      try {
        for await (const event of this.#buildEvents(ask, signal)) {
          lastContact = Date.now()
          delay = retryDelayMs
          lastEvent = event
          if (event.type === 'progress') onProgress?.(event.progress, event.step, event.transfer ?? null)
        }
      } catch (error) {
        if (error instanceof HearthError) throw error
        signal?.throwIfAborted()
        trouble = error
      }
      if (lastEvent?.type === 'done') return
      if (lastEvent?.type === 'failed') throw new HearthError('image_build_failed', lastEvent.message)
      if (Date.now() - lastContact > giveUpAfterMs)
        throw new HearthError(
          'image_build_failed',
          'The image builder cannot be reached. Start Hearth again, then build the image again.',
          { cause: trouble },
        )
      await pause(delay, signal)
      delay = Math.min(delay * 2, retryDelayMs * 10)
    }
  }

  async *#buildEvents(
    ask: { path: string; body?: string },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<BuildEvent> {
    const response = await this.#open('POST', ask.path, silenceMs, signal, ask.body)
    if (response.statusCode === 404 || response.statusCode === 400) {
      response.resume()
      throw new HearthError('not_found', 'The image builder does not know how to make this image.')
    }
    if (response.statusCode !== 200) {
      response.resume()
      throw new Error(`the builder answered ${response.statusCode}`)
    }
    let buffer = ''
    response.setEncoding('utf8')
    for await (const chunk of response) {
      buffer += chunk as string
      let end = buffer.indexOf('\n')
      while (end >= 0) {
        const line = buffer.slice(0, end).trim()
        buffer = buffer.slice(end + 1)
        if (line !== '') yield buildEventSchema.parse(JSON.parse(line))
        end = buffer.indexOf('\n')
      }
      if (buffer.length > maxLine) throw new Error('the builder sent a line without end')
    }
  }

  #open(
    method: string,
    path: string,
    timeoutMs: number,
    signal?: AbortSignal,
    body?: string,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${this.#url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        timeout: timeoutMs,
        // A pooled connection the builder just closed would fail the first request after a pause.
        agent: false,
        ...(signal ? { signal } : {}),
      })
      request.once('response', resolve)
      request.on('error', reject)
      request.once('timeout', () => request.destroy(new Error('the builder does not answer')))
      request.end(body)
    })
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms)
    function done() {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }
    function aborted() {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
