/**
 * The agent's one HTTP port: `/healthz`, the control router's WebSocket at `/trpc`, and a WebSocket per serial
 * console viewer at `/vms/<uid>/serial`.
 */
import { createServer, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { consoleClose } from '@hearth/shared/agent-protocol'
import { vmUidSchema } from '@hearth/shared/names'
import { getWSConnectionHandler } from '@trpc/server/adapters/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Agent } from '../agent.ts'
import { errorText, type Log } from '../log.ts'
import { agentRouter } from '../router.ts'
import { maxInputFrame, SerialBridge } from '../serial/serial-bridge.ts'
import { isAuthorized } from './token.ts'

/** Largest control message: a create with 64 KiB of user data and a page of SSH keys fits several times. */
const maxControlMessage = 2 * 1024 * 1024
const maxControlConnections = 64
export const maxViewersPerVm = 32
const pingMs = 20_000
/** A connection that holds this much unsent gets no further events until it has taken them. */
const maxUnsent = 1024 * 1024

export interface AgentServer {
  readonly port: number
  close(): Promise<void>
}

export async function startServer(options: {
  agent: Agent
  listen: { host: string; port: number }
  token: string
  log: Log
}): Promise<AgentServer> {
  const { agent, listen, token, log } = options
  const control = new WebSocketServer({ noServer: true, maxPayload: maxControlMessage })
  const serial = new WebSocketServer({ noServer: true, maxPayload: maxInputFrame })
  const viewers = new Map<string, number>()

  const handleControl = getWSConnectionHandler({
    wss: control,
    router: agentRouter,
    createContext: ({ res }) => ({ services: agent, sink: { ready: () => drained(res) } }),
    keepAlive: { enabled: true, pingMs, pongWaitMs: pingMs },
    onError: ({ error, path }) => {
      if (error.code === 'INTERNAL_SERVER_ERROR')
        log.error('request failed', { path, error: errorText(error.cause ?? error) })
    },
  })

  const http = createServer((request, response) => {
    const isHealth = request.method === 'GET' && request.url === '/healthz'
    response.writeHead(isHealth ? 200 : 404, { 'content-type': 'text/plain' }).end(isHealth ? 'ok\n' : '')
  })
  http.on('upgrade', (request, socket, head) => {
    // Before the upgrade the socket is ours: a peer that resets it must not end the agent.
    socket.on('error', () => socket.destroy())
    const path = new URL(request.url ?? '/', 'http://agent').pathname
    const authorized = isAuthorized(request.headers.authorization, token)
    if (path === '/trpc') {
      if (!authorized) refuse(socket, '401 Unauthorized')
      else if (control.clients.size >= maxControlConnections) refuse(socket, '503 Service Unavailable')
      else control.handleUpgrade(request, socket, head, (client) => handleControl(client, request))
      return
    }
    const vmUid = /^\/vms\/([^/]+)\/serial$/.exec(path)?.[1]
    if (vmUid === undefined) {
      refuse(socket, '404 Not Found')
      return
    }
    serial.handleUpgrade(request, socket, head, (client) => {
      if (!authorized) client.close(consoleClose.unauthorized, 'bad token')
      else openSerial(client, vmUid)
    })
  })

  function openSerial(client: WebSocket, vmUid: string): void {
    const vm = vmUidSchema.safeParse(vmUid).success ? agent.findVm(vmUid) : undefined
    if (!vm) {
      client.close(consoleClose.notFound, 'no such VM')
      return
    }
    const count = viewers.get(vmUid) ?? 0
    if (count >= maxViewersPerVm) {
      client.close(1013, 'too many viewers of this console')
      return
    }
    viewers.set(vmUid, count + 1)
    client.once('close', () => {
      const left = (viewers.get(vmUid) ?? 1) - 1
      if (left === 0) viewers.delete(vmUid)
      else viewers.set(vmUid, left)
    })
    keepAlive(client)
    new SerialBridge(client, {
      socketPath: vm.sockets.serial,
      logPath: vm.files.serialLog,
      isRunning: () => vm.hasProcess,
    }).start()
  }

  const port = await listenOn(http, listen)
  return {
    port,
    async close() {
      for (const server of [control, serial])
        for (const client of server.clients) client.close(1001, 'agent ends')
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      const timer = setTimeout(() => {
        for (const server of [control, serial]) for (const client of server.clients) client.terminate()
        http.closeAllConnections()
      }, 500)
      await closed
      clearTimeout(timer)
    },
  }
}

function listenOn(http: Server, listen: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen(listen.port, listen.host, () => {
      http.off('error', reject)
      const address = http.address()
      resolve(typeof address === 'object' && address ? address.port : listen.port)
    })
  })
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** WebSocket pings; a viewer whose machine vanished does not hold a place for ever. */
function keepAlive(client: WebSocket): void {
  let alive = true
  client.on('pong', () => {
    alive = true
  })
  const timer = setInterval(() => {
    // While its input waits for the guest we do not read its pongs either.
    if (client.isPaused) return
    if (!alive) client.terminate()
    alive = false
    client.ping()
  }, pingMs)
  client.once('close', () => clearInterval(timer))
}

async function drained(client: WebSocket): Promise<void> {
  while (client.readyState === client.OPEN && client.bufferedAmount > maxUnsent)
    await new Promise((resolve) => setTimeout(resolve, 20))
}
