/**
 * `/uploads/<id of the image>`: HEAD says where an upload stands, PATCH brings the next part (tus 1.0.0). Who may is
 * decided here; the bytes are piped to the host as they come, and never faster than it takes them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { errorReport, HearthError } from '@hearth/shared/errors'
import { imageLimits } from '@hearth/shared/image'
import type { Viewer } from '../auth/viewer.ts'
import { errorText } from '../log.ts'
import type { Portal } from '../portal.ts'
import { uploadGrant } from '../services/image-upload.ts'
import { viewerOfToken } from '../services/tokens.ts'
import { addressOf, respondJson } from './respond.ts'

const answered = ['upload-offset', 'tus-resumable'] as const
const statuses: Partial<Record<string, number>> = {
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  invalid_input: 400,
  resource_limit_exceeded: 413,
  host_unavailable: 503,
}

export async function answerUpload(
  portal: Portal,
  imageId: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    await passOn(portal, imageId, request, response)
  } catch (error) {
    if (request.errored || request.destroyed || response.headersSent) return void response.destroy()
    const report = errorReport(error)
    if (report.code === 'internal') portal.log.error('an upload failed', { error: errorText(error) })
    request.resume()
    response.setHeader('connection', 'close')
    respondJson(response, statuses[report.code] ?? 500, { error: report })
  }
}

/** Whoever is signed in, or a script with its token. */
async function viewerOf(portal: Portal, request: IncomingMessage): Promise<Viewer> {
  const secret = tokenOf(request)
  if (secret === undefined) {
    const viewer = await portal.auth.viewer(request.headers, addressOf(request))
    if (!viewer) throw new HearthError('unauthorized', 'Sign in first.')
    return viewer
  }
  const viewer = await viewerOfToken(portal.context.db, secret, addressOf(request))
  if (!viewer?.token) throw new HearthError('unauthorized', 'This API token is unknown, expired or revoked.')
  if (viewer.token.scope !== 'write')
    throw new HearthError('forbidden', 'This token may only read. Make one that may write.')
  return viewer
}

/** No page of another origin can send one with a person's browser, as it could cookies. */
export const tokenOf = (request: IncomingMessage): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]

async function passOn(
  portal: Portal,
  imageId: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const viewer = await viewerOf(portal, request)
  const { method } = request
  if (method !== 'HEAD' && method !== 'PATCH') throw new HearthError('invalid_input', 'HEAD or PATCH.')
  if (Number(request.headers['content-length'] ?? 0) > imageLimits.uploadChunkBytes)
    throw new HearthError('resource_limit_exceeded', 'One request brings at most 16 MiB.')
  const grant = await uploadGrant(portal.context, viewer, imageId)
  const headers: Record<string, string> = { 'upload-length': String(grant.bytes) }
  for (const name of ['upload-offset', 'upload-zeros', 'content-type', 'content-length']) {
    const value = request.headers[name]
    if (typeof value === 'string') headers[name] = value
  }
  const onward = portal.agents.openUpload(grant.hostId, grant.uploadUid, method, headers)
  if (!onward)
    throw new HearthError('host_unavailable', 'The host is away. The upload goes on when it is back.')
  try {
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      onward.once('response', resolve)
      onward.once('error', reject)
      onward.once('timeout', () => onward.destroy(new Error('the host does not answer')))
    })
    // A refusal may come before the body was read to its end.
    await Promise.race([pipeline(request, onward), answer])
    const reply = await answer
    for (const name of answered) {
      const value = reply.headers[name]
      if (value !== undefined) response.setHeader(name, value)
    }
    response.setHeader('cache-control', 'no-store')
    const type = reply.headers['content-type']
    if (type !== undefined) response.setHeader('content-type', type)
    response.writeHead(reply.statusCode ?? 502)
    await pipeline(reply, response)
  } catch (error) {
    onward.destroy()
    if (error instanceof HearthError) throw error
    throw new HearthError('host_unavailable', 'The host does not answer. The upload goes on in a moment.', {
      cause: error,
    })
  }
}
