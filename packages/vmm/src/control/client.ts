/** The other end of a control socket, for whoever supervises a `hearth-vmm`. */
import { connect, type Socket } from 'node:net'
import type {
  VmmEvent,
  VmmMethod,
  VmmSnapshotParams,
  VmmSnapshotResult,
  VmmStatus,
} from '@hearth/shared/vmm-control'
import { LineSplitter } from '../sys/line-splitter.ts'

const MAX_LINE = 1024 * 1024

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export interface ControlClientEvents {
  event?(event: VmmEvent): void
  /** The connection is over, however it ended. Called once. */
  closed?(): void
}

export class ControlClient {
  private readonly socket: Socket
  private readonly events: ControlClientEvents
  private readonly pending = new Map<number, Pending>()
  private nextId = 1
  private over = false

  private constructor(socket: Socket, events: ControlClientEvents) {
    this.socket = socket
    this.events = events
    const lines = new LineSplitter(MAX_LINE)
    socket.on('data', (chunk: Buffer) => {
      const complete = lines.push(chunk)
      if (!complete) return socket.destroy(new Error('the monitor sent an endless line'))
      for (const line of complete) this.receive(line)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.over = true
      for (const { reject } of this.pending.values()) reject(new Error('the control connection closed'))
      this.pending.clear()
      this.events.closed?.()
    })
  }

  /** Rejects with the system's error (ENOENT, ECONNREFUSED) when nobody listens at `path`. */
  static connect(path: string, events: ControlClientEvents = {}): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new ControlClient(socket, events))
      })
    })
  }

  status(): Promise<VmmStatus> {
    return this.request('status') as Promise<VmmStatus>
  }

  /** Writes the running machine to a folder that is not there yet; memory to a slow disk may take minutes. */
  snapshot(params: VmmSnapshotParams, timeoutMs = 600_000): Promise<VmmSnapshotResult> {
    return this.request('snapshot', timeoutMs, { ...params }) as Promise<VmmSnapshotResult>
  }

  /**
   * Resolves with the reply's result. Rejects with the monitor's sentence when it refuses, after `timeoutMs`,
   * or when the connection closes first (which a `quit` may do).
   */
  request(method: VmmMethod, timeoutMs = 30_000, params?: Record<string, unknown>): Promise<unknown> {
    if (this.over) return Promise.reject(new Error('the control connection closed'))
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id)
        reject(new Error(`the monitor did not answer "${method}" within ${timeoutMs} ms`))
      }, timeoutMs)
      const settle = (): void => clearTimeout(timer)
      this.pending.set(id, {
        resolve: (result) => {
          settle()
          resolve(result)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      this.socket.write(`${JSON.stringify({ id, method, params })}\n`)
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private receive(line: string): void {
    let value: { id?: number; ok?: boolean; result?: unknown; error?: string; event?: string }
    try {
      value = JSON.parse(line)
    } catch {
      this.socket.destroy()
      return
    }
    if (typeof value.event === 'string') {
      this.events.event?.(value as VmmEvent)
      return
    }
    const pending = this.pending.get(value.id ?? 0)
    if (!pending) return
    this.pending.delete(value.id ?? 0)
    if (value.ok) pending.resolve(value.result)
    else pending.reject(new Error(value.error ?? 'the monitor refused without a reason'))
  }
}
