/**
 * One viewer of a VM's screen: its WebSocket joined to its own connection to the monitor's display socket, which it
 * is introduced on by id, name and right. RFB goes through unchanged; beside it, as text, who else watches.
 */
import {
  consoleClose,
  type DisplayNotice,
  displayClose,
  displayRequestSchema,
} from '@hearth/shared/agent-protocol'
import {
  type ViewerIntroduction,
  type VmmViewer,
  viewerIntroductionPrefix,
  vmmViewerSchema,
} from '@hearth/shared/vmm-control'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import { SocketPipe } from '../console/socket-pipe.ts'
import type { ViewersListener } from '../vm/vm.ts'

/** Largest frame of input: a clipboard of the most RFB takes here, with room for its header. */
export const maxDisplayInputFrame = 1024 * 1024 + 64 * 1024

/** How long a monitor may take from closing its display to its end. */
const endingMs = 2_000

export interface DisplaySource {
  socketPath: string
  /** Whether the VM has a process; its socket may appear a moment later. */
  isRunning: () => boolean
  /** Whether this run has a screen. */
  hasDisplay: () => boolean
  /** Asks the monitor. */
  request: (
    method: 'viewers' | 'viewer-control',
    params?: { viewer: string; take: boolean },
  ) => Promise<unknown>
  /** Tells of every change of who watches, until the returned function is called. */
  onViewers: (listener: ViewersListener) => () => void
  /** Calls the listener at once and at each change with whether this screen is recorded, until it is told to stop. */
  onRecorded: (listener: (on: boolean) => void) => () => void
}

export class DisplayBridge {
  readonly #client: WebSocket
  readonly #source: DisplaySource
  readonly #viewer: ViewerIntroduction
  readonly #pipe: SocketPipe

  constructor(client: WebSocket, source: DisplaySource, viewer: ViewerIntroduction) {
    this.#client = client
    this.#source = source
    this.#viewer = viewer
    this.#pipe = new SocketPipe(client, (text) => void this.#request(text))
  }

  start(): void {
    void this.#run()
  }

  async #run(): Promise<void> {
    const { isRunning, hasDisplay, socketPath } = this.#source
    if (isRunning() && !hasDisplay()) {
      this.#client.close(displayClose.noDisplay, 'no display')
      return
    }
    const socket = await this.#pipe.connect(socketPath, isRunning)
    if (!socket) {
      this.#client.close(consoleClose.notRunning, 'not running')
      return
    }
    const stop = this.#source.onViewers((viewers, clipboard) => this.#tellViewers(viewers, clipboard))
    this.#client.once('close', stop)
    let told = false
    const stopRecorded = this.#source.onRecorded((on) => {
      if (on !== told) this.#notice({ type: 'recorded', on })
      told = on
    })
    this.#client.once('close', stopRecorded)
    socket.write(`${viewerIntroductionPrefix}${JSON.stringify(this.#viewer)}\n`)
    this.#pipe.join(socket, () => void this.#ended())
  }

  async #ended(): Promise<void> {
    // A monitor that ends closes its sockets before its process is seen to be gone.
    const deadline = Date.now() + endingMs
    while (this.#pipe.isOpen && this.#source.isRunning() && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50))
    if (!this.#pipe.isOpen) return
    // The monitor lives on when it closed only this viewer: the page comes back with a new connection.
    if (this.#source.isRunning()) this.#client.close(displayClose.again, 'closed by the monitor')
    else this.#client.close(consoleClose.notRunning, 'not running')
  }

  #tellViewers(viewers: readonly VmmViewer[], clipboard: boolean): void {
    this.#notice({
      type: 'viewers',
      you: this.#viewer.id,
      viewers: viewers.map(({ id, name, input, control }) => ({ id, name, input, control })),
      clipboard,
    })
  }

  async #request(text: string): Promise<void> {
    const request = parse(text)
    if (!request) return
    const { id } = this.#viewer
    try {
      if (request.type === 'figures') {
        const viewers = z.array(vmmViewerSchema).parse(await this.#source.request('viewers'))
        const me = viewers.find((viewer) => viewer.id === id)
        if (!me) return
        const { updates, bytes, roundTripMs } = me
        this.#notice({ type: 'figures', updates, bytes, roundTripMs })
      } else {
        await this.#source.request('viewer-control', {
          viewer: id,
          take: request.type === 'take_control',
        })
      }
    } catch {
      // The monitor is on its way out, or the viewer may not type: what is so is told by the next notice.
    }
  }

  #notice(notice: DisplayNotice): void {
    this.#pipe.sendText(JSON.stringify(notice))
  }
}

function parse(text: string) {
  try {
    return displayRequestSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
