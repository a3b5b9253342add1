/** The control socket: one JSON object a line, both ways, several clients at once. */
import type { Server, Socket } from 'node:net'
import type { VmmEvent, VmmMethod } from '@hearth/shared/vmm-control'
import { LineSplitter } from '../sys/line-splitter.ts'
import { listenUnix } from '../sys/unix-listener.ts'
import { type ControlLine, encodeLine, parseRequest } from './messages.ts'

const MAX_LINE = 64 * 1024
/** A client with more than this unread is dropped: it has stopped listening. */
const MAX_BACKLOG = 1024 * 1024
const FLUSH_MS = 1000

/** Carries out a method; what it returns is the reply's result, an error's message the reply's error. */
export type ControlHandler = (
  method: VmmMethod,
  params: Readonly<Record<string, unknown>>,
) => Promise<unknown>

export class ControlServer {
  private readonly clients = new Set<Socket>()
  private readonly handler: ControlHandler
  private server: Server | undefined

  private constructor(handler: ControlHandler) {
    this.handler = handler
  }

  static async listen(path: string, handler: ControlHandler): Promise<ControlServer> {
    const control = new ControlServer(handler)
    control.server = await listenUnix('control', path, (socket) => control.accept(socket))
    return control
  }

  broadcast(event: VmmEvent): void {
    for (const client of this.clients) this.send(client, event)
  }

  private accept(socket: Socket): void {
    this.clients.add(socket)
    const lines = new LineSplitter(MAX_LINE)
    socket.on('data', (chunk: Buffer) => {
      const complete = lines.push(chunk)
      if (!complete) {
        this.send(socket, { id: 0, ok: false, error: `a line has at most ${MAX_LINE} characters` })
        socket.destroySoon()
        return
      }
      for (const line of complete) if (line.trim() !== '') void this.answer(socket, line)
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.clients.delete(socket))
  }

  private async answer(socket: Socket, line: string): Promise<void> {
    const parsed = parseRequest(line)
    if (!parsed.ok) return this.send(socket, { id: parsed.id, ok: false, error: parsed.error })
    const { id, method, params } = parsed.request
    try {
      this.send(socket, { id, ok: true, result: (await this.handler(method, params)) ?? null })
    } catch (error) {
      this.send(socket, { id, ok: false, error: (error as Error).message })
    }
  }

  private send(socket: Socket, line: ControlLine): void {
    if (socket.destroyed) return
    socket.write(encodeLine(line))
    if (socket.writableLength > MAX_BACKLOG) socket.destroy()
  }

  /** Lets clients read what was sent, for a bounded time, and removes the socket. */
  async close(): Promise<void> {
    const server = this.server
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const client of this.clients) client.end(() => client.destroy())
    const timer = setTimeout(() => {
      for (const client of this.clients) client.destroy()
    }, FLUSH_MS)
    await closed
    clearTimeout(timer)
  }
}
