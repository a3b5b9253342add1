/** The builder's end of an upload, in the words of tus 1.0.0 (HEAD, PATCH), and DELETE to give one up. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import { z } from 'zod'
import { UploadError, type UploadStore } from './uploads.ts'

const countSchema = z.coerce.number().int().nonnegative()

export async function answerUpload(
  uploads: UploadStore,
  uid: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('tus-resumable', '1.0.0')
  response.setHeader('cache-control', 'no-store')
  try {
    if (!z.uuid().safeParse(uid).success) throw new UploadError(404, 'There is no such upload.')
    if (request.method === 'HEAD') {
      request.resume()
      response.writeHead(200, { 'upload-offset': await uploads.offset(uid) }).end()
    } else if (request.method === 'DELETE') {
      request.resume()
      await uploads.remove(uid)
      response.writeHead(204).end()
    } else if (request.method === 'PATCH') {
      const header = (name: string): number | null => {
        const value = countSchema.safeParse(request.headers[name] ?? undefined)
        return value.success ? value.data : null
      }
      const offset = header('upload-offset')
      const totalBytes = header('upload-length')
      if (offset === null || totalBytes === null)
        throw new UploadError(400, 'Upload-Offset and Upload-Length say where this part belongs.')
      const now = await uploads.append(uid, {
        ...{ offset, totalBytes, body: request },
        zeroBytes: header('upload-zeros'),
      })
      response.writeHead(204, { 'upload-offset': now }).end()
    } else throw new UploadError(405, 'HEAD, PATCH or DELETE.')
  } catch (error) {
    if (response.headersSent || response.destroyed) return
    // The other side hung up: there is nobody to tell, and what arrived is kept.
    if (request.errored) return void response.destroy()
    const status = error instanceof UploadError ? error.status : 500
    const message = error instanceof UploadError ? error.message : 'The upload could not be written.'
    // The rest of this part first: closing a connection with bytes on their way would lose the answer.
    request.resume()
    await finished(request).catch(() => {})
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: message }))
  }
}
