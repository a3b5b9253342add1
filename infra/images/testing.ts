/** For tests: a server whose files break off, change and lie, and small disk images. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { MIB } from '@hearth/shared/units'

interface TestFile {
  data: Buffer
  etag?: string
  /** Breaks the connection of each of the first requests after so many bytes of it. */
  breaks?: number[]
}

export interface FileServer {
  readonly url: string
  readonly files: Map<string, TestFile>
  /** Path and Range of every request. */
  readonly asked: { path: string; range: string | undefined }[]
}

/** Answers Range and If-Range as RFC 9110 says. */
export async function serveFiles(t: TestContext): Promise<FileServer> {
  const files = new Map<string, TestFile>()
  const asked: FileServer['asked'] = []
  const server = createServer((request, response) => {
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, files, asked }
}

function answer(file: TestFile, request: IncomingMessage, response: ServerResponse): void {
  const { data, etag = '"one"' } = file
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
  if (breakAfter === undefined) response.end(body)
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
