/** tRPC over WebSocket: one socket a tab. A socket whose session has ended is closed; the page then comes anew. */
import type { IncomingMessage } from 'node:http'
import { getWSConnectionHandler } from '@trpc/server/adapters/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Auth } from '../auth/auth.ts'
import { errorText, type Log } from '../log.ts'
import type { Changes } from '../services/changes.ts'
import type { PortalServices } from '../services/types.ts'
import { appRouter } from '../trpc/router.ts'
import type { TrpcContext } from '../trpc/trpc.ts'
import { addressOf } from './respond.ts'

const maxMessage = 1024 * 1024
const checkMs = 3_000
const signedOutCode = 4401

export class TrpcSockets {
  readonly server = new WebSocketServer({ noServer: true, maxPayload: maxMessage })
  readonly #auth: Auth
  readonly #log: Log
  readonly #handle: (client: WebSocket, request: IncomingMessage) => void
  /** Sockets that some call was made on as somebody. */
  readonly #signedIn = new Map<WebSocket, IncomingMessage>()
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void

  constructor(options: { services: PortalServices; auth: Auth; changes: Changes; log: Log }) {
    this.#auth = options.auth
    this.#log = options.log
    this.#handle = getWSConnectionHandler({
      wss: this.server,
      router: appRouter,
      createContext: ({ req, res }): TrpcContext => {
        const from = addressOf(req)
        return {
          services: options.services,
          from,
          authenticate: async () => {
            const viewer = await options.auth.viewer(req.headers, from)
            if (viewer) this.#signedIn.set(res, req)
            return viewer
          },
        }
      },
      keepAlive: { enabled: true, pingMs: 20_000, pongWaitMs: 20_000 },
      onError: ({ error, path }) => {
        if (error.code === 'INTERNAL_SERVER_ERROR')
          options.log.error('a call failed', { path, error: errorText(error.cause ?? error) })
      },
    })
    const check = () => void this.#check().catch((error) => this.#log.error(errorText(error)))
    this.#timer = setInterval(check, checkMs)
    this.#timer.unref()
    this.#stop = options.changes.on('sessions', check)
  }

  accept(client: WebSocket, request: IncomingMessage): void {
    client.on('error', () => client.terminate())
    client.once('close', () => this.#signedIn.delete(client))
    this.#handle(client, request)
  }

  async #check(): Promise<void> {
    for (const [client, request] of this.#signedIn) {
      if (await this.#auth.viewer(request.headers, addressOf(request))) continue
      this.#signedIn.delete(client)
      client.close(signedOutCode, 'signed out')
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stop()
    for (const client of this.server.clients) client.close(1001, 'Hearth is restarting')
  }
}
