/**
 * The agent's one HTTP port: `/healthz`, uploads at `/uploads/<uid>`, recordings at `/recordings/<uid>/data`, the control router's WebSocket at `/trpc`, and a WebSocket per viewer of
 * a VM's serial console or screen at `/vms/<uid>/serial` and `/vms/<uid>/display`.
 */
import { createServer, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { consoleClose } from '@hearth/shared/agent-protocol'
import { vmUidSchema } from '@hearth/shared/names'
import type { RecordingKind } from '@hearth/shared/recording'
import { viewerIntroductionSchema } from '@hearth/shared/vmm-control'
import { getWSConnectionHandler } from '@trpc/server/adapters/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Agent } from '../agent.ts'
import { DisplayBridge, maxDisplayInputFrame } from '../display/display-bridge.ts'
import { answerScreenPicture } from '../display/screen-picture.ts'
import { errorText, type Log } from '../log.ts'
import { answerRecording } from '../recording/answer-recording.ts'
import { agentRouter } from '../router.ts'
import { maxInputFrame, SerialBridge } from '../serial/serial-bridge.ts'
import type { Vm } from '../vm/vm.ts'
import { isAuthorized } from './token.ts'
import { proxyUpload } from './upload-proxy.ts'

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
  const display = new WebSocketServer({ noServer: true, maxPayload: maxDisplayInputFrame })
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
    const url = new URL(request.url ?? '/', 'http://agent')
    const pictured = /^\/vms\/([^/]+)\/screen\.jpg$/.exec(url.pathname)?.[1]
    if (request.method === 'GET' && pictured !== undefined) {
      if (!isAuthorized(request.headers.authorization, token)) {
        response.writeHead(401).end()
        return
      }
      const asked = { width: url.searchParams.get('width'), ifNoneMatch: request.headers['if-none-match'] }
      void answerScreenPicture(find(pictured), asked, response)
      return
    }
    const recording = /^\/recordings\/([^/]+)\/data$/.exec(url.pathname)?.[1]
    if (request.method === 'GET' && recording !== undefined) {
      if (isAuthorized(request.headers.authorization, token))
        void answerRecording(agent.recordings, recording, response)
      else response.writeHead(401).end()
      return
    }
    const upload = /^\/uploads\/([^/]+)$/.exec(url.pathname)?.[1]
    if (upload !== undefined && isAuthorized(request.headers.authorization, token)) {
      void proxyUpload(agent.builder, upload, request, response, log)
      return
    }
    request.resume()
    const isHealth = request.method === 'GET' && request.url === '/healthz'
    response.writeHead(isHealth ? 200 : 404, { 'content-type': 'text/plain' }).end(isHealth ? 'ok\n' : '')
  })
  http.on('upgrade', (request, socket, head) => {
    // Before the upgrade the socket is ours: a peer that resets it must not end the agent.
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://agent')
    const authorized = isAuthorized(request.headers.authorization, token)
    if (url.pathname === '/trpc') {
      if (!authorized) refuse(socket, '401 Unauthorized')
      else if (control.clients.size >= maxControlConnections) refuse(socket, '503 Service Unavailable')
      else control.handleUpgrade(request, socket, head, (client) => handleControl(client, request))
      return
    }
    const [, vmUid, kind] = /^\/vms\/([^/]+)\/(serial|display)$/.exec(url.pathname) ?? []
    if (vmUid === undefined) {
      refuse(socket, '404 Not Found')
      return
    }
    const server = kind === 'serial' ? serial : display
    server.handleUpgrade(request, socket, head, (client) => {
      if (!authorized) {
        client.close(consoleClose.unauthorized, 'bad token')
        return
      }
      const vm = admit(client, vmUid)
      if (!vm) return
      if (kind === 'serial') openSerial(client, vm)
      else openDisplay(client, vm, url.searchParams)
    })
  })

  function find(vmUid: string): Vm | undefined {
    return vmUidSchema.safeParse(vmUid).success ? agent.findVm(vmUid) : undefined
  }

  /** The VM, when there is one and room for another viewer; otherwise the viewer was told why not. */
  function admit(client: WebSocket, vmUid: string): Vm | undefined {
    const vm = find(vmUid)
    if (!vm) {
      client.close(consoleClose.notFound, 'no such VM')
      return undefined
    }
    const count = viewers.get(vmUid) ?? 0
    if (count >= maxViewersPerVm) {
      client.close(1013, 'too many viewers of this console')
      return undefined
    }
    viewers.set(vmUid, count + 1)
    client.once('close', () => {
      const left = (viewers.get(vmUid) ?? 1) - 1
      if (left === 0) viewers.delete(vmUid)
      else viewers.set(vmUid, left)
    })
    keepAlive(client)
    return vm
  }

  function openSerial(client: WebSocket, vm: Vm): void {
    new SerialBridge(client, {
      socketPath: vm.sockets.serial,
      logPath: vm.files.serialLog,
      isRunning: () => vm.hasProcess,
      onRecorded: (listener) => onRecorded(vm.spec.vmUid, 'serial', listener),
    }).start()
  }

  function onRecorded(vmUid: string, kind: RecordingKind, listener: (on: boolean) => void): () => void {
    const { recordings } = agent
    listener(recordings.isRecorded(vmUid, kind))
    return recordings.onChange((uid, changed) => {
      if (uid === vmUid && changed === kind) listener(recordings.isRecorded(vmUid, kind))
    })
  }

  function openDisplay(client: WebSocket, vm: Vm, query: URLSearchParams): void {
    const viewer = viewerIntroductionSchema.safeParse({
      id: query.get('id'),
      name: query.get('name'),
      input: query.get('input') === '1',
    })
    if (!viewer.success) {
      client.close(1008, 'id and name are missing')
      return
    }
    new DisplayBridge(
      client,
      {
        socketPath: vm.sockets.display,
        isRunning: () => vm.hasProcess,
        hasDisplay: () => vm.hasDisplay,
        request: (method, params) => vm.ask(method, params),
        onViewers: (listener) => vm.onViewers(listener),
        onRecorded: (listener) => onRecorded(vm.spec.vmUid, 'display', listener),
      },
      viewer.data,
    ).start()
  }

  const port = await listenOn(http, listen)
  return {
    port,
    async close() {
      for (const server of [control, serial, display])
        for (const client of server.clients) client.close(1001, 'agent ends')
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      const timer = setTimeout(() => {
        for (const server of [control, serial, display])
          for (const client of server.clients) client.terminate()
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
