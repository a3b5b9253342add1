/** Viewers of the serial port on a unix socket: each connection gets the scrollback, then what follows; what it sends goes to the guest. */
import type { Server, Socket } from 'node:net'
import { scrollbackLinePrefix } from '@hearth/shared/scrollback-line'
import { listenUnix } from '../sys/unix-listener.ts'
import type { SerialHub } from './hub.ts'

const FLUSH_MS = 1000

export class SocketViewers {
  private readonly hub: SerialHub
  private readonly sockets = new Set<Socket>()
  private server: Server | undefined

  private readonly scrollbackLine: boolean

  private constructor(hub: SerialHub, scrollbackLine: boolean) {
    this.hub = hub
    this.scrollbackLine = scrollbackLine
  }

  static async listen(
    path: string,
    hub: SerialHub,
    { scrollbackLine = false }: { scrollbackLine?: boolean } = {},
  ): Promise<SocketViewers> {
    const viewers = new SocketViewers(hub, scrollbackLine)
    viewers.server = await listenUnix('serial', path, (socket) => viewers.accept(socket))
    return viewers
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket)
    const sink = { write: (bytes: Uint8Array): boolean => socket.write(bytes) }
    if (this.scrollbackLine) {
      // Copied at once, so that the number holds however slowly it is read.
      const scrollback = this.hub.copyScrollback()
      socket.write(`${scrollbackLinePrefix}${JSON.stringify({ scrollback: scrollback.length })}\n`)
      socket.write(scrollback)
    }
    const handle = this.hub.attach(sink, { fromNow: this.scrollbackLine })
    socket.on('drain', () => handle.resume())
    socket.on('data', (chunk: Buffer) => {
      // Input waits for the guest; meanwhile the kernel's socket buffer holds the viewer back.
      socket.pause()
      this.hub.send(chunk, () => socket.resume())
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      handle.detach()
      this.sockets.delete(socket)
    })
  }

  /** Lets viewers read what they were sent, for a bounded time, and removes the socket. */
  async close(): Promise<void> {
    const server = this.server
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // A paused socket would never see the other end go.
    for (const socket of this.sockets) socket.resume().end(() => socket.destroy())
    const timer = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy()
    }, FLUSH_MS)
    await closed
    clearTimeout(timer)
  }
}
