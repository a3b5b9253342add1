/**
 * A viewer's WebSocket joined to a unix socket of its VM's monitor: raw bytes both ways in binary frames. Neither
 * side's backlog grows: each is read only while the other one takes it.
 */
import { connect, type Socket } from 'node:net'
import type { RawData, WebSocket } from 'ws'

/** Most a viewer may leave unread before the monitor's side is paused. */
export const highWater = 256 * 1024
/** Reading goes on once this little is left. */
const lowWater = 64 * 1024
/** Bytes of one frame to the viewer, so that `bufferedAmount` is looked at often enough. */
const maxOutputFrame = 64 * 1024
const connectRetryMs = 50

export class SocketPipe {
  readonly #client: WebSocket
  #socket: Socket | null = null
  #drainTimer: NodeJS.Timeout | null = null
  /** Input that came before the monitor's side was there; bounded by pausing the viewer. */
  #early: Buffer[] = []

  /** `onText` gets the viewer's text frames; without it they are ignored. */
  constructor(client: WebSocket, onText?: (text: string) => void) {
    this.#client = client
    client.on('error', () => client.terminate())
    client.once('close', () => this.#release())
    client.on('message', (data, isBinary) => {
      if (isBinary) this.#input(data)
      else onText?.(String(data))
    })
  }

  get isOpen(): boolean {
    return this.#client.readyState === this.#client.OPEN
  }

  /** Tries for as long as `wanted` says so, and the viewer is there; null when it was in vain. */
  async connect(path: string, wanted: () => boolean): Promise<Socket | null> {
    while (wanted() && this.isOpen) {
      const socket = await connectSocket(path)
      if (socket && this.isOpen) return socket
      socket?.destroy()
      await new Promise((resolve) => setTimeout(resolve, connectRetryMs))
    }
    return null
  }

  /**
   * Lets the bytes flow, what came early first. `ended` is called when the monitor's side closes. `filter` gets the
   * monitor's bytes in place of the viewer, and sends on what it wants to.
   */
  join(socket: Socket, ended: () => void, filter?: (chunk: Buffer) => void): void {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      if (filter) filter(chunk)
      else this.send(chunk)
      this.#holdBack()
    })
    socket.on('drain', () => this.#client.resume())
    socket.on('error', () => socket.destroy())
    socket.once('close', ended)
    for (const data of this.#early.splice(0)) socket.write(data)
    this.#client.resume()
  }

  send(data: Buffer): void {
    for (let offset = 0; offset < data.length; offset += maxOutputFrame)
      this.#client.send(data.subarray(offset, offset + maxOutputFrame), { binary: true })
  }

  sendText(text: string): void {
    if (this.isOpen) this.#client.send(text)
  }

  #holdBack(): void {
    if (this.#client.bufferedAmount <= highWater || !this.#socket) return
    this.#socket.pause()
    // `ws` has no drain event; the callback of a send would hold on to every frame instead.
    this.#drainTimer ??= setInterval(() => {
      if (this.#client.bufferedAmount > lowWater) return
      if (this.#drainTimer) clearInterval(this.#drainTimer)
      this.#drainTimer = null
      this.#socket?.resume()
    }, 10)
  }

  #input(data: RawData): void {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
    if (!this.#socket) {
      this.#early.push(bytes)
      this.#client.pause()
    } else if (!this.#socket.write(bytes)) {
      this.#client.pause()
    }
  }

  #release(): void {
    if (this.#drainTimer) clearInterval(this.#drainTimer)
    this.#drainTimer = null
    this.#socket?.destroy()
  }
}

/** Null: nobody listens there (yet). */
export function connectSocket(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ path, noDelay: true })
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', () => resolve(null))
  })
}
