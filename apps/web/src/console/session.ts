import { consoleNoticeSchema } from '@hearth/shared/agent-protocol'
import { advance, type ConnectionEvent, type ConnectionState, initialConnection } from './connection.ts'
import { InputQueue } from './input-queue.ts'

export interface SessionOptions {
  /** Asks the portal for a one-time ticket; rejects with an object that has a `code` when it refuses. */
  openTicket: () => Promise<{ url: string }>
  /** A new connection begins: what follows is the scrollback from its beginning. */
  onReplay: () => void
  onOutput: (bytes: Uint8Array) => void
  /** The scrollback is over: what follows is written now. */
  onLive: () => void
  /** Whether nothing was printed so far, neither before the connection nor on it. */
  onSilent: (silent: boolean) => void
  /** Whether an administrator has this console recorded. */
  onRecorded: (on: boolean) => void
  refusalCode: (error: unknown) => string
}

/** Owns the socket and the timer that ./connection.ts asks for. Everything is let go by `dispose`. */
export class ConsoleSession {
  readonly #options: SessionOptions
  readonly #listeners = new Set<() => void>()
  #state: ConnectionState = initialConnection
  #socket: WebSocket | undefined
  #input: InputQueue | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #disposed = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  start(): void {
    this.#enter(this.#state)
  }

  dispose(): void {
    this.#disposed = true
    clearTimeout(this.#timer)
    this.#dropSocket()
    this.#listeners.clear()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly getState = (): ConnectionState => this.#state

  tell(event: ConnectionEvent): void {
    if (this.#disposed) return
    const next = advance(this.#state, event, Date.now())
    if (next === this.#state) return
    const sameStage = next.at === this.#state.at && next.at === 'waiting'
    this.#state = next
    if (!sameStage) this.#enter(next)
    for (const listener of this.#listeners) listener()
  }

  /** False when there is no connection or the line is too far behind; then nothing was sent. */
  send(data: Uint8Array<ArrayBuffer>): boolean {
    return this.#state.at === 'live' && this.#input !== undefined && this.#input.push(data)
  }

  #enter(state: ConnectionState): void {
    clearTimeout(this.#timer)
    switch (state.at) {
      case 'opening':
        this.#dropSocket()
        this.#options.openTicket().then(
          ({ url }) => this.tell({ type: 'ticket', url }),
          (error: unknown) => this.tell({ type: 'ticket_refused', code: this.#options.refusalCode(error) }),
        )
        break
      case 'connecting':
        this.#connect(state.url)
        break
      case 'waiting':
        this.#dropSocket()
        this.#timer = setTimeout(() => this.tell({ type: 'retry' }), Math.max(0, state.retryAt - Date.now()))
        break
      case 'ended':
        this.#dropSocket()
        break
      case 'stopped':
      case 'live':
        break
    }
  }

  #connect(path: string): void {
    const url = new URL(path, window.location.href)
    url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    let fresh = true
    const begin = () => {
      if (fresh) this.#options.onReplay()
      fresh = false
    }
    let printed = false
    this.#options.onSilent(false)
    socket.onopen = () => {
      this.#input = new InputQueue(socket, (run) => setTimeout(run, 20))
      this.tell({ type: 'socket_open' })
    }
    socket.onmessage = (message: MessageEvent<ArrayBuffer | string>) => {
      if (this.#socket !== socket) return
      if (typeof message.data === 'string') {
        // Why a stream ends is told by its close code; `ended` alone may also mean that the host went away.
        const notice = parseNotice(message.data)
        if (notice === 'not_running') this.tell({ type: 'not_running' })
        if (notice === 'recorded' || notice === 'not_recorded')
          this.#options.onRecorded(notice === 'recorded')
        if (notice === 'live') {
          begin()
          this.#options.onSilent(!printed)
        }
        if (notice === 'live' || notice === 'not_running') this.#options.onLive()
        return
      }
      begin()
      if (!printed) this.#options.onSilent(false)
      printed = true
      this.#options.onOutput(new Uint8Array(message.data))
    }
    socket.onclose = (event) => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#input = undefined
      this.#options.onRecorded(false)
      this.tell({ type: 'socket_closed', code: event.code })
    }
  }

  #dropSocket(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#input = undefined
    if (!socket) return
    socket.onmessage = null
    socket.close(1000)
  }
}

function parseNotice(text: string): string | undefined {
  try {
    return consoleNoticeSchema.safeParse(JSON.parse(text)).data?.notice
  } catch {
    return undefined
  }
}
