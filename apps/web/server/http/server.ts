/** The portal's one port: who answers what. Pages are whatever handler is given (Next, or nothing in tests). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { errorReport } from '@hearth/shared/errors'
import { WebSocketServer } from 'ws'
import { addressHeader } from '../auth/auth.ts'
import { errorText } from '../log.ts'
import type { Portal } from '../portal.ts'
import { consoleKindSchema } from '../services/consoles.ts'
import { inLanguage, languageOf } from './language.ts'
import { isOwnPage, ownOrigin } from './origin.ts'
import { answerRecording, recordingPath } from './recordings.ts'
import { addressOf, readBody, respondJson, respondText } from './respond.ts'
import { answerScreenPicture, screenPicturePath } from './screen-picture.ts'
import { setCommonHeaders, setPagePolicy } from './security-headers.ts'
import { TrpcSockets } from './trpc-sockets.ts'
import { answerUpload, tokenOf } from './uploads.ts'

export interface Pages {
  readonly development: boolean
  request(request: IncomingMessage, response: ServerResponse): Promise<void>
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>
}

export interface ServerOptions {
  portal: Portal
  listen: string
  port: number
  tls?: { certificate: Buffer; key: Buffer; authority: Buffer | null }
  pages?: Pages
}

export interface PortalServer {
  readonly port: number
  close(): Promise<void>
}

const maxAuthBody = 64 * 1024
/** A clipboard, the largest thing a screen's viewer sends. Serial input comes in smaller pieces. */
const maxInputFrame = 1024 * 1024 + 64 * 1024
/** Far more than a home's open tabs; a page that opens sockets in a loop stops here. */
const maxSockets = 1000

export async function startServer(options: ServerOptions): Promise<PortalServer> {
  const { portal, tls, pages } = options
  const { names, log } = portal
  const trpc = new TrpcSockets(portal)
  const viewers = new WebSocketServer({
    noServer: true,
    maxPayload: maxInputFrame,
    // Console output compresses well, but each context costs memory and every keystroke a round of it.
    perMessageDeflate: false,
  })

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    setCommonHeaders(response)
    const own = ownOrigin(names, request.headers)
    if (!own) {
      respondText(
        response,
        421,
        'Hearth does not answer to that name. Use the address it printed at its start.\n',
      )
      return
    }
    const { pathname } = new URL(request.url ?? '/', own)
    if (pathname.startsWith('/api/auth/')) await answerAuth(request, response, own)
    else if (pathname.startsWith('/api/v1/') || pathname === '/api/v1')
      await portal.rest(request, response, own)
    else if (screenPicturePath.test(pathname)) await answerScreenPicture(portal, request, response)
    else if (recordingPath.test(pathname)) await answerRecording(portal, request, response)
    else if (uploadOf(pathname) !== undefined) await answerUploadHere(request, response, uploadOf(pathname)!)
    else if (pathname === '/healthz') respondText(response, 200, 'ok\n')
    else if (pathname === '/ca.crt') answerAuthority(response)
    else if (pathname.startsWith('/api/') || !pages) respondText(response, 404, 'There is nothing here.\n')
    else {
      setPagePolicy(request, response, pages.development)
      await inLanguage(languageOf(request.headers), () => pages.request(request, response))
    }
  }

  const answerUploadHere = async (request: IncomingMessage, response: ServerResponse, imageId: number) => {
    // A browser names the page's origin with PATCH; HEAD changes nothing; a script has a token instead of cookies.
    const reads = request.method === 'HEAD'
    if (!reads && tokenOf(request) === undefined && !isOwnPage(names, request.headers)) {
      request.resume()
      respondJson(response, 403, { code: 'FORBIDDEN', message: 'This page is not one of Hearth’s.' })
    } else await answerUpload(portal, imageId, request, response)
  }

  const answerAuth = async (request: IncomingMessage, response: ServerResponse, own: string) => {
    const reads = request.method === 'GET' || request.method === 'HEAD'
    // A browser names the page's origin with every other method; without one it is a program with its own cookies.
    if (!reads && request.headers.origin !== undefined && !isOwnPage(names, request.headers)) {
      respondJson(response, 403, { code: 'FORBIDDEN', message: 'This page is not one of Hearth’s.' })
      return
    }
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers)) {
      if (typeof value === 'string') headers.set(name, value)
      else for (const item of value ?? []) headers.append(name, item)
    }
    headers.set(addressHeader, addressOf(request))
    const init: RequestInit = { method: request.method ?? 'GET', headers }
    if (!reads) init.body = new Uint8Array(await readBody(request, maxAuthBody))
    const answered = await portal.auth.handle(new Request(new URL(request.url ?? '/', own), init))
    for (const [name, value] of answered.headers) if (name !== 'set-cookie') response.setHeader(name, value)
    const cookies = answered.headers.getSetCookie()
    if (cookies.length > 0) response.setHeader('set-cookie', cookies)
    response.setHeader('cache-control', 'no-store')
    response.writeHead(answered.status)
    response.end(Buffer.from(await answered.arrayBuffer()))
  }

  const answerAuthority = (response: ServerResponse) => {
    if (!tls?.authority) {
      respondText(
        response,
        404,
        'Hearth runs without a certificate authority here: it listens on this machine only.\n',
      )
      return
    }
    response.writeHead(200, {
      'content-type': 'application/x-x509-ca-cert',
      'content-disposition': 'attachment; filename="hearth-ca.crt"',
    })
    response.end(tls.authority)
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      const report = errorReport(error)
      if (report.code === 'internal')
        log.error('a request failed', { url: pathOnly(request.url), error: errorText(error) })
      if (response.headersSent) response.destroy()
      else respondJson(response, report.code === 'resource_limit_exceeded' ? 413 : 500, { error: report })
    })
  }

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Before the upgrade the socket is ours: a peer that resets it must not end the portal.
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://portal')
    const [, vmId, kind] = /^\/console\/([1-9]\d{0,14})\/(serial|display)$/.exec(url.pathname) ?? []
    const ours = url.pathname === '/trpc' || vmId !== undefined
    if (!isOwnPage(names, request.headers)) refuse(socket, '403 Forbidden')
    else if (trpc.server.clients.size + viewers.clients.size >= maxSockets)
      refuse(socket, '503 Service Unavailable')
    else if (url.pathname === '/trpc')
      trpc.server.handleUpgrade(request, socket, head, (client) => trpc.accept(client, request))
    else if (vmId !== undefined)
      viewers.handleUpgrade(request, socket, head, (client) => {
        const ticket = url.searchParams.get('ticket') ?? ''
        portal.consoles
          .attach(client, { vmId: Number(vmId), kind: consoleKindSchema.parse(kind), ticket })
          .catch((error: unknown) => {
            log.error('a console could not be opened', { error: errorText(error) })
            client.close(1011)
          })
      })
    else if (pages && !ours)
      pages.upgrade(request, socket, head).catch((error: unknown) => {
        log.error('an upgrade failed', { error: errorText(error) })
        socket.destroy()
      })
    else refuse(socket, '404 Not Found')
  }

  const server = tls
    ? createTlsServer({ cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' }, onRequest)
    : createServer(onRequest)
  server.on('upgrade', onUpgrade)
  // Whoever sends a request slowly on purpose does not hold a place for ever.
  server.headersTimeout = 20_000
  // A part of an upload over a slow line takes its time; one that stands still is ended where it is passed on.
  server.requestTimeout = 600_000

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.listen, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    async close() {
      portal.consoles.close()
      trpc.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => {
        for (const sockets of [trpc.server, viewers]) for (const client of sockets.clients) client.terminate()
        server.closeAllConnections()
      }, 1_500)
      await closed
      clearTimeout(timer)
    },
  }
}

function uploadOf(pathname: string): number | undefined {
  const id = /^\/uploads\/([1-9]\d{0,14})$/.exec(pathname)?.[1]
  return id === undefined ? undefined : Number(id)
}

/** Without what may be secret in a query. */
function pathOnly(url: string | undefined): string {
  return (url ?? '').split('?')[0] ?? ''
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
