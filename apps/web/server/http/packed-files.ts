/**
 * The pages' scripts and styles as infra/build/pack.ts left them beside themselves, compressed as far as Brotli can: a
 * third less over the wire than what is compressed anew for each request, and no work for the box.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const types: Readonly<Record<string, string>> = {
  js: 'application/javascript; charset=UTF-8',
  css: 'text/css; charset=UTF-8',
}

/** `folder` is what `next build` made. Answers, or returns false when the file has to come from elsewhere. */
export async function answerPacked(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  // One path of plain names: nothing in it can lead out of the folder.
  const [, name, type] =
    /^\/_next\/(static(?:\/[\w~-][\w.~-]*)+\.(js|css))(?:\?.*)?$/.exec(request.url ?? '') ?? []
  if (!name || !type || (request.method !== 'GET' && request.method !== 'HEAD')) return false
  response.setHeader('vary', 'accept-encoding')
  if (!/\bbr\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(request.headers['accept-encoding'] ?? '')) return false
  const path = join(folder, `${name}.br`)
  const info = await stat(path).catch(() => null)
  if (!info?.isFile()) return false
  response.writeHead(200, {
    'content-type': types[type],
    'content-encoding': 'br',
    'content-length': info.size,
    // The name holds a hash of the content.
    'cache-control': 'public, max-age=31536000, immutable',
  })
  if (request.method === 'HEAD') response.end()
  // A browser that goes away in the middle is no trouble.
  else await pipeline(createReadStream(path), response).catch(() => undefined)
  return true
}
