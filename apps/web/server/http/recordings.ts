/** `GET /console/recordings/<uid>`: a recording's file for an administrator; with `?download` to be kept. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { HearthError } from '@hearth/shared/errors'
import { home } from '../auth/privilege.ts'
import type { Portal } from '../portal.ts'
import { ensurePrivilege } from '../services/access.ts'
import { openRecording } from '../services/recordings.ts'
import { addressOf, respondText } from './respond.ts'

export const recordingPath = /^\/console\/recordings\/([0-9a-f-]{36})$/
const statuses: Partial<Record<HearthError['code'], number>> = {
  unauthorized: 401,
  forbidden: 403,
  host_unavailable: 503,
}

export async function answerRecording(
  { db, auth, context }: Portal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://portal')
  const recordingUid = recordingPath.exec(url.pathname)?.[1] ?? ''
  const download = url.searchParams.has('download')
  if (request.method !== 'GET') return respondText(response, 405, 'Only GET.\n')
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  let opened: Awaited<ReturnType<typeof openRecording>>
  try {
    const viewer = await auth.viewer(request.headers, addressOf(request))
    await ensurePrivilege(db, viewer, home, {})
    if (!viewer) throw new HearthError('unauthorized', 'Sign in first.')
    opened = await openRecording(context, viewer, { recordingUid, download }, gone.signal)
  } catch (error) {
    if (!(error instanceof HearthError)) throw error
    return respondText(response, statuses[error.code] ?? 404, `${error.userMessage}\n`)
  }
  const { data, fileName } = opened
  const length = data.headers.get('content-length')
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'cache-control': 'private, no-store',
    ...(length === null ? {} : { 'content-length': length }),
    ...(download ? { 'content-disposition': `attachment; filename="${fileName}"` } : {}),
  })
  if (!data.body) response.end()
  else await pipeline(Readable.fromWeb(data.body as ReadableStream), response).catch(() => response.destroy())
}
