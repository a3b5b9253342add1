/** Viewers of the serial port on a unix socket: each connection gets the scrollback, then what follows; what it sends goes to the guest. */
import type { Server, Socket } from 'node:net'
import { listenUnix } from '../sys/unix-listener.ts'
import type { SerialHub } from './hub.ts'

const FLUSH_MS = 1000

export class SocketViewers {
  private readonly hub: SerialHub
  private readonly sockets = new Set<Socket>()
  private server: Server | undefined

  private constructor(hub: SerialHub) {
    this.hub = hub
  }

  static async listen(path: string, hub: SerialHub): Promise<SocketViewers> {
    const viewers = new SocketViewers(hub)
    viewers.server = await listenUnix('serial', path, (socket) => viewers.accept(socket))
    return viewers
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket)
    const handle = this.hub.attach({ write: (bytes) => socket.write(bytes) })
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
