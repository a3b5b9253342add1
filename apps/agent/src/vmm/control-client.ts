/**
 * The agent's end of a hearth-vmm control socket: one JSON object a line, both ways (`@hearth/shared/vmm-control`).
 */
import { connect, type Socket } from 'node:net'
import {
  type VmmEvent,
  type VmmMethod,
  type VmmStatus,
  vmmEventSchema,
  vmmReplySchema,
  vmmStatusSchema,
} from '@hearth/shared/vmm-control'

/** Longest line we accept; a monitor that sends more is broken. */
const maxLine = 64 * 1024

interface Pending {
  resolve(result: unknown): void
  reject(error: Error): void
  timer: NodeJS.Timeout
}

export class ControlClient {
  readonly #socket: Socket
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #buffer = ''
  /** Resolves when the connection ended, whoever ended it. */
  readonly closed: Promise<void>

  private constructor(socket: Socket, onEvent: (event: VmmEvent) => void) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => this.#read(chunk, onEvent))
    socket.on('error', () => socket.destroy())
    this.closed = new Promise((resolve) =>
      socket.once('close', () => {
        for (const pending of this.#pending.values()) {
          clearTimeout(pending.timer)
          pending.reject(new Error('the control connection closed'))
        }
        this.#pending.clear()
        resolve()
      }),
    )
  }

  static connect(path: string, onEvent: (event: VmmEvent) => void): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new ControlClient(socket, onEvent))
      })
    })
  }

  status(timeoutMs = 10_000): Promise<VmmStatus> {
    return this.request('status', timeoutMs).then((result) => vmmStatusSchema.parse(result))
  }

  request(method: VmmMethod, timeoutMs = 10_000): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('the control connection is closed'))
        return
      }
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(new Error(`no answer to ${method} within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#pending.set(id, { resolve, reject, timer })
      this.#socket.write(`${JSON.stringify({ id, method })}\n`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: string, onEvent: (event: VmmEvent) => void): void {
    this.#buffer += chunk
    let end = this.#buffer.indexOf('\n')
    while (end >= 0) {
      this.#line(this.#buffer.slice(0, end), onEvent)
      this.#buffer = this.#buffer.slice(end + 1)
      end = this.#buffer.indexOf('\n')
    }
    if (this.#buffer.length > maxLine) this.#socket.destroy()
  }

  #line(line: string, onEvent: (event: VmmEvent) => void): void {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      this.#socket.destroy()
      return
    }
    const event = vmmEventSchema.safeParse(value)
    if (event.success) {
      onEvent(event.data)
      return
    }
    const reply = vmmReplySchema.safeParse(value)
    // An event of a newer monitor is not for us; anything unknown is skipped.
    if (!reply.success) return
    const pending = this.#pending.get(reply.data.id)
    if (!pending) return
    this.#pending.delete(reply.data.id)
    clearTimeout(pending.timer)
    if (reply.data.ok) pending.resolve(reply.data.result)
    else pending.reject(new Error(reply.data.error))
  }
}
