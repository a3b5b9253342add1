/**
 * One viewer of a serial console: its WebSocket joined to its own connection to the monitor's serial socket,
 * raw bytes both ways. Neither side's backlog grows: each is read only while the other one takes it.
 */
import { connect, type Socket } from 'node:net'
import { type ConsoleNotice, consoleClose } from '@hearth/shared/agent-protocol'
import type { RawData, WebSocket } from 'ws'
import { readScrollback } from './scrollback.ts'

/** Most a viewer may leave unread before the monitor's side is paused. */
export const highWater = 256 * 1024
/** Reading goes on once this little is left. */
const lowWater = 64 * 1024
/** Largest frame of input; a paste comes in pieces. */
export const maxInputFrame = 64 * 1024
/** Bytes of one frame to the viewer, so that `bufferedAmount` is looked at often enough. */
const maxOutputFrame = 64 * 1024
const connectRetryMs = 50

export interface SerialSource {
  socketPath: string
  logPath: string
  /** Whether the VM has a process; its socket may appear a moment later. */
  isRunning: () => boolean
}

export class SerialBridge {
  readonly #client: WebSocket
  readonly #source: SerialSource
  #socket: Socket | null = null
  #drainTimer: NodeJS.Timeout | null = null
  /** Input that came before the monitor's side was there; bounded by pausing the viewer. */
  #early: Buffer[] = []

  constructor(client: WebSocket, source: SerialSource) {
    this.#client = client
    this.#source = source
  }

  start(): void {
    this.#client.on('error', () => this.#client.terminate())
    this.#client.once('close', () => this.#release())
    this.#client.on('message', (data, isBinary) => this.#input(data, isBinary))
    void this.#run()
  }

  async #run(): Promise<void> {
    const socket = await this.#connect()
    if (!socket) {
      await this.#showLastRun()
      return
    }
    if (this.#client.readyState !== this.#client.OPEN) {
      socket.destroy()
      return
    }
    this.#socket = socket
    this.#notice('connected', 'Connected to the serial console.')
    socket.on('data', (chunk: Buffer) => this.#output(chunk))
    socket.on('drain', () => this.#client.resume())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#ended())
    for (const data of this.#early.splice(0)) socket.write(data)
    this.#client.resume()
  }

  /** Null when the VM does not run. */
  async #connect(): Promise<Socket | null> {
    while (this.#source.isRunning() && this.#client.readyState === this.#client.OPEN) {
      const socket = await tryConnect(this.#source.socketPath)
      if (socket) return socket
      await new Promise((resolve) => setTimeout(resolve, connectRetryMs))
    }
    return null
  }

  async #showLastRun(): Promise<void> {
    const scrollback = await readScrollback(this.#source.logPath)
    if (this.#client.readyState !== this.#client.OPEN) return
    this.#send(scrollback)
    this.#notice('not_running', 'The VM is not running. This is the end of its last output.')
    this.#client.close(consoleClose.notRunning, 'not running')
  }

  #ended(): void {
    if (this.#client.readyState !== this.#client.OPEN) return
    this.#notice('ended', 'The VM has stopped.')
    this.#client.close(consoleClose.notRunning, 'not running')
  }

  #output(chunk: Buffer): void {
    this.#send(chunk)
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

  #send(data: Buffer): void {
    for (let offset = 0; offset < data.length; offset += maxOutputFrame)
      this.#client.send(data.subarray(offset, offset + maxOutputFrame), { binary: true })
  }

  #input(data: RawData, isBinary: boolean): void {
    // Text frames are for notices, and those only come from here.
    if (!isBinary) return
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
    if (!this.#socket) {
      this.#early.push(bytes)
      this.#client.pause()
    } else if (!this.#socket.write(bytes)) {
      this.#client.pause()
    }
  }

  #notice(notice: ConsoleNotice['notice'], message: string): void {
    this.#client.send(JSON.stringify({ notice, message } satisfies ConsoleNotice))
  }

  #release(): void {
    if (this.#drainTimer) clearInterval(this.#drainTimer)
    this.#drainTimer = null
    this.#socket?.destroy()
  }
}

function tryConnect(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', () => resolve(null))
  })
}
