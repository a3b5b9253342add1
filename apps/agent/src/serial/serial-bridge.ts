/** One viewer of a serial console: its WebSocket joined to its own connection to the monitor's serial socket. */
import { type ConsoleNotice, consoleClose } from '@hearth/shared/agent-protocol'
import type { WebSocket } from 'ws'
import { SocketPipe } from '../console/socket-pipe.ts'
import { readScrollback } from './scrollback.ts'
import { ScrollbackLine } from './scrollback-line.ts'

/** Largest frame of input; a paste comes in pieces. */
export const maxInputFrame = 64 * 1024

export interface SerialSource {
  socketPath: string
  logPath: string
  /** Whether the VM has a process; its socket may appear a moment later. */
  isRunning: () => boolean
  /** Calls the listener at once and at each change with whether this console is recorded, until it is told to stop. */
  onRecorded?: (listener: (on: boolean) => void) => () => void
}

export class SerialBridge {
  readonly #client: WebSocket
  readonly #source: SerialSource
  readonly #pipe: SocketPipe

  constructor(client: WebSocket, source: SerialSource) {
    this.#client = client
    this.#source = source
    this.#pipe = new SocketPipe(client)
  }

  start(): void {
    void this.#run()
  }

  async #run(): Promise<void> {
    const socket = await this.#pipe.connect(this.#source.socketPath, this.#source.isRunning)
    if (!socket) {
      await this.#showLastRun()
      return
    }
    this.#notice('connected', 'Connected to the serial console.')
    let told = false
    const stop = this.#source.onRecorded?.((on) => {
      if (on === told) return
      told = on
      if (on) this.#notice('recorded', 'An administrator has this console recorded.')
      else this.#notice('not_recorded', 'This console is not recorded any more.')
    })
    if (stop) this.#client.once('close', stop)
    const line = new ScrollbackLine(
      (bytes) => this.#pipe.send(bytes),
      () => this.#notice('live', 'What follows is written now.'),
    )
    this.#pipe.join(
      socket,
      () => this.#ended(),
      (chunk) => line.push(chunk),
    )
  }

  async #showLastRun(): Promise<void> {
    const scrollback = await readScrollback(this.#source.logPath)
    if (!this.#pipe.isOpen) return
    this.#pipe.send(scrollback)
    this.#notice('not_running', 'The VM is not running. This is the end of its last output.')
    this.#client.close(consoleClose.notRunning, 'not running')
  }

  #ended(): void {
    if (!this.#pipe.isOpen) return
    this.#notice('ended', 'The VM has stopped.')
    this.#client.close(consoleClose.notRunning, 'not running')
  }

  #notice(notice: ConsoleNotice['notice'], message: string): void {
    this.#pipe.sendText(JSON.stringify({ notice, message } satisfies ConsoleNotice))
  }
}
