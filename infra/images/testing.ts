/** For tests: a server whose files break off, change and lie, and small disk images. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { MIB } from '@hearth/shared/units'

interface TestFile {
  data: Buffer
  etag?: string
  /** Breaks the connection of each of the first requests after so many bytes of it. */
  breaks?: number[]
  /** Called when half of it is under way, before the rest. */
  halfway?: () => void
  /** Where it has moved to. */
  movedTo?: string
}

export interface FileServer {
  readonly url: string
  readonly files: Map<string, TestFile>
  /** Path and Range of every request. */
  readonly asked: { path: string; range: string | undefined }[]
}

/** Answers Range and If-Range as RFC 9110 says; by HTTPS where it is given a certificate. */
export async function serveFiles(t: TestContext, tls?: { key: Buffer; cert: Buffer }): Promise<FileServer> {
  const files = new Map<string, TestFile>()
  const asked: FileServer['asked'] = []
  const server = tls ? createSecureServer(tls) : createServer()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? '/', 'http://test').pathname
    asked.push({ path, range: request.headers.range })
    const file = files.get(path)
    if (file) answer(file, request, response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, files, asked }
}

function answer(file: TestFile, request: IncomingMessage, response: ServerResponse): void {
  const { data, etag = '"one"', movedTo } = file
  if (movedTo !== undefined) {
    response.writeHead(302, { location: movedTo }).end()
    return
  }
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
  const fits = range !== null && request.headers['if-range'] === etag
  const from = fits ? Number(range[1]) : 0
  const body = data.subarray(from)
  response.writeHead(fits ? 206 : 200, {
    etag,
    'content-length': body.length,
    ...(fits ? { 'content-range': `bytes ${from}-${data.length - 1}/${data.length}` } : {}),
  })
  const breakAfter = file.breaks?.shift()
  if (file.halfway) {
    const half = Math.floor(body.length / 2)
    response.write(body.subarray(0, half), () => {
      file.halfway?.()
      response.end(body.subarray(half))
    })
  } else if (breakAfter === undefined) response.end(body)
  else response.write(body.subarray(0, breakAfter), () => response.socket?.destroy())
}

/** A raw disk that could be one: a boot signature, something near its end, zeros between. */
export function rawDisk(bytes = 3 * MIB): Buffer {
  const disk = Buffer.alloc(bytes)
  disk.writeUInt16LE(0xaa55, 510)
  disk.write('the end of it', bytes - 4096)
  return disk
}

export const sha = (algorithm: 'sha256' | 'sha512', data: Buffer): string =>
  createHash(algorithm).update(data).digest('hex')
