/**
 * A viewer's WebSocket joined to the host's: frames go through unchanged, both ways. Neither side's backlog grows:
 * while one is slow to take, the other is not read, and TCP carries that to where the bytes come from.
 */
import type { ConsoleNotice } from '@hearth/shared/agent-protocol'
import type { RawData, WebSocket } from 'ws'
import { portalConsoleClose } from '../views/console.ts'

/** Most that may wait for one side before the other is no longer read. */
export const highWater = 256 * 1024
const lowWater = 64 * 1024
const pingMs = 20_000
/** How often a full side is looked at; `ws` tells nobody when it has drained. */
const drainCheckMs = 10

export class ConsolePipe {
  readonly #viewer: WebSocket
  readonly #host: WebSocket
  readonly #timers = new Set<NodeJS.Timeout>()
  #ended = false

  constructor(viewer: WebSocket, host: WebSocket) {
    this.#viewer = viewer
    this.#host = host
  }

  start(): void {
    // What is typed before the host's side is there waits in the kernel's buffers.
    this.#viewer.pause()
    this.#host.once('open', () => this.#viewer.resume())
    this.#forward(this.#viewer, this.#host)
    this.#forward(this.#host, this.#viewer)
    this.#keepAlive(this.#viewer)
    this.#keepAlive(this.#host)
    this.#viewer.on('error', () => this.#viewer.terminate())
    this.#host.on('error', () => this.#host.terminate())
    this.#viewer.once('close', () => this.close(portalConsoleClose.portalEnds, ''))
    this.#host.once('close', (code, reason) => this.#hostClosed(code, reason.toString()))
  }

  /** Ends both sides, with a last word to the viewer. */
  close(code: number, message: string): void {
    if (this.#ended) return
    this.#ended = true
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#host.readyState === this.#host.CONNECTING) this.#host.terminate()
    else this.#host.close()
    if (message !== '') notify(this.#viewer, { notice: 'ended', message })
    this.#viewer.close(code, message.slice(0, 100))
    // A viewer that takes nothing any more does not answer the closing either.
    const last = setTimeout(() => {
      this.#viewer.terminate()
      this.#host.terminate()
    }, 2_000)
    last.unref()
  }

  #hostClosed(code: number, reason: string): void {
    const { unauthorized, notFound, notRunning, noDisplay, again, hostAway } = portalConsoleClose
    const own: number[] = [notFound, notRunning, noDisplay, again]
    if (own.includes(code)) this.close(code, '')
    else if (code === 1013) this.close(1013, reason || 'Too many people watch this console.')
    else if (code === unauthorized) this.close(hostAway, 'The host does not accept this portal.')
    else this.close(hostAway, 'The host is away. The VM goes on without it being seen.')
  }

  #forward(from: WebSocket, to: WebSocket): void {
    let draining: NodeJS.Timeout | null = null
    from.on('message', (data: RawData, isBinary: boolean) => {
      if (to.readyState !== to.OPEN) return
      to.send(data, { binary: isBinary })
      if (to.bufferedAmount <= highWater || draining) return
      from.pause()
      draining = setInterval(() => {
        if (to.bufferedAmount > lowWater && to.readyState === to.OPEN) return
        if (draining) this.#stop(draining)
        draining = null
        from.resume()
      }, drainCheckMs)
      this.#timers.add(draining)
    })
  }

  #keepAlive(socket: WebSocket): void {
    let alive = true
    socket.on('pong', () => {
      alive = true
    })
    const timer = setInterval(() => {
      // While a side is not read, its pongs are not either.
      if (socket.isPaused || socket.readyState !== socket.OPEN) return
      if (!alive) socket.terminate()
      alive = false
      socket.ping()
    }, pingMs)
    this.#timers.add(timer)
  }

  #stop(timer: NodeJS.Timeout): void {
    clearInterval(timer)
    this.#timers.delete(timer)
  }
}

export function notify(viewer: WebSocket, notice: ConsoleNotice): void {
  if (viewer.readyState === viewer.OPEN) viewer.send(JSON.stringify(notice), { binary: false })
}
