/**
 * Uploads on their way to the image builder: headers checked, bytes piped. Nothing is held here: what the builder does
 * not take, is not read from the portal.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { imageLimits } from '@hearth/shared/image'
import { z } from 'zod'
import type { BuilderClient } from '../image/builder-client.ts'
import { errorText, type Log } from '../log.ts'

const passedOn = ['upload-offset', 'upload-length', 'upload-zeros', 'content-type', 'content-length'] as const
const answered = ['upload-offset', 'tus-resumable', 'cache-control', 'content-type'] as const

export async function proxyUpload(
  builder: BuilderClient,
  uploadUid: string,
  request: IncomingMessage,
  response: ServerResponse,
  log: Log,
): Promise<void> {
  const method = request.method ?? ''
  if (!z.uuid().safeParse(uploadUid).success || !['HEAD', 'PATCH', 'DELETE'].includes(method))
    return refuse(request, response, 404, 'There is no such upload.')
  if (Number(request.headers['content-length'] ?? 0) > imageLimits.uploadChunkBytes)
    return refuse(request, response, 413, 'This part of an upload is too long.')
  const headers: Record<string, string> = {}
  for (const name of passedOn) {
    const value = request.headers[name]
    if (typeof value === 'string') headers[name] = value
  }
  const onward = builder.upload(uploadUid, method, headers)
  try {
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      onward.once('response', resolve)
      onward.once('error', reject)
      onward.once('timeout', () => onward.destroy(new Error('the builder does not answer')))
    })
    // A refusal may come before the body was read to its end.
    await Promise.race([pipeline(request, onward), answer])
    const reply = await answer
    for (const name of answered) {
      const value = reply.headers[name]
      if (value !== undefined) response.setHeader(name, value)
    }
    response.writeHead(reply.statusCode ?? 502)
    await pipeline(reply, response)
  } catch (error) {
    onward.destroy()
    if (request.errored || request.destroyed) return void response.destroy()
    log.warn('an upload could not be passed on', { error: errorText(error) })
    if (response.headersSent) response.destroy()
    else
      refuse(request, response, 503, 'The image builder does not answer. Go on with the upload in a moment.')
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, error: string): void {
  request.resume()
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify({ error }))
}
