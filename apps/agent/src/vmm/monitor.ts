/**
 * One live hearth-vmm process as the agent sees it, whether this agent started it or found it running. Watches
 * the process and its control socket; tells what the machine does and, once, how the process ended.
 */
import { type VmmEvent, type VmmMethod, vmmStatusSchema } from '@hearth/shared/vmm-control'
import { ControlClient } from '@hearth/vmm'
import { isProcessAlive, killMonitor, type ProcessIdentity } from '../host/process-identity.ts'

export interface MonitorExit {
  /** Exit code where it is known: from the child process, else from the monitor's last word. */
  code: number | null
  signal: NodeJS.Signals | null
  reason: string | null
}

/** How the process of this agent's own child ended; pending for a process some earlier agent started. */
export type ChildExit = Promise<{ code: number | null; signal: NodeJS.Signals | null }>

const livenessIntervalMs = 500
const reconnectDelayMs = 100
/** A monitor that said it exits, or was told to quit, and still lives after this is killed. */
const exitGraceMs = 5000

export class Monitor {
  readonly identity: ProcessIdentity
  readonly #bootId: string
  readonly #controlPath: string
  readonly #onEvent: (event: VmmEvent) => void
  #client: ControlClient | null = null
  #lastExit: { code: number; reason: string } | null = null
  #ended = false
  #released = false
  #wakeConnect: (() => void) | null = null
  #graceTimer: NodeJS.Timeout | null = null
  readonly exited: Promise<MonitorExit>

  constructor(options: {
    identity: ProcessIdentity
    bootId: string
    controlPath: string
    childExit?: ChildExit
    onEvent: (event: VmmEvent) => void
  }) {
    this.identity = options.identity
    this.#bootId = options.bootId
    this.#controlPath = options.controlPath
    this.#onEvent = options.onEvent
    this.exited = this.#watch(options.childExit)
    void this.#stayConnected()
  }

  /** Sends a request, waiting for the control socket as long as the process lives and time is left. */
  async request(method: VmmMethod, timeoutMs = 10_000, params?: Record<string, unknown>): Promise<unknown> {
    const deadline = Date.now() + timeoutMs
    while (!this.#client && !this.#ended && Date.now() < deadline) await pause(20)
    if (!this.#client) throw new Error('hearth-vmm does not answer on its control socket')
    return this.#client.request(method, Math.max(1, deadline - Date.now()), params)
  }

  /** Ends the process now: `quit`, and SIGKILL when that does not end it within `exitGraceMs`. */
  async powerOff(): Promise<MonitorExit> {
    this.#armWatchdog()
    this.request('quit', exitGraceMs).catch(() => undefined)
    return this.exited
  }

  kill(): void {
    killMonitor(this.identity, this.#bootId)
  }

  /** Leaves the process alone and stops looking (the agent ends, the VM stays). */
  release(): void {
    this.#released = true
    this.#stopLooking()
  }

  #stopLooking(): void {
    this.#ended = true
    this.#wakeConnect?.()
    if (this.#graceTimer) clearTimeout(this.#graceTimer)
    this.#client?.close()
  }

  #armWatchdog(): void {
    this.#graceTimer ??= setTimeout(() => this.kill(), exitGraceMs)
  }

  async #watch(childExit: ChildExit | undefined): Promise<MonitorExit> {
    let exit: { code: number | null; signal: NodeJS.Signals | null } | null = null
    void childExit?.then((result) => {
      exit = result
    })
    while (!this.#ended && exit === null && isProcessAlive(this.identity, this.#bootId)) {
      await Promise.race([pause(livenessIntervalMs), childExit ?? never])
    }
    // A child's exit code arrives a moment after the process is gone.
    if (exit === null && childExit && !this.#ended) exit = await childExit
    // Released means alive and no longer ours to watch: it has not exited.
    if (this.#released) return never
    this.#stopLooking()
    const known = exit as { code: number | null; signal: NodeJS.Signals | null } | null
    return {
      code: known?.code ?? (known?.signal ? null : (this.#lastExit?.code ?? null)),
      signal: known?.signal ?? null,
      reason: this.#lastExit?.reason ?? null,
    }
  }

  async #stayConnected(): Promise<void> {
    while (!this.#ended) {
      let client: ControlClient | null = null
      try {
        const connection = await connectControl(this.#controlPath, (event) => this.#event(event))
        client = connection.client
        const status = vmmStatusSchema.parse(await client.status())
        if (!this.#ended) {
          this.#client = client
          this.#event({ event: 'state', status })
          await connection.closed
        }
      } catch {
        // Not listening yet, or just gone: the process's own end is watched elsewhere.
      }
      client?.close()
      this.#client = null
      if (this.#ended) return
      await new Promise<void>((resolve) => {
        this.#wakeConnect = resolve
        setTimeout(resolve, reconnectDelayMs)
      })
    }
  }

  #event(event: VmmEvent): void {
    if (this.#ended) return
    if (event.event === 'exit') {
      this.#lastExit = { code: event.code, reason: event.reason }
      this.#armWatchdog()
    }
    this.#onEvent(event)
  }
}

async function connectControl(
  path: string,
  onEvent: (event: VmmEvent) => void,
): Promise<{ client: ControlClient; closed: Promise<void> }> {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const client = await ControlClient.connect(path, { event: onEvent, closed: resolve })
  return { client, closed }
}

const never = new Promise<never>(() => undefined)

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
