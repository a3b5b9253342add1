/**
 * What noVNC talks to in place of a WebSocket: RFB's bytes pass through; text frames, which carry who watches and
 * figures, are taken out, since noVNC would read them as bytes.
 */
import { type DisplayNotice, type DisplayRequest, displayNoticeSchema } from '@hearth/shared/agent-protocol'
import type { RawChannel } from '@novnc/novnc'

/** The part of a WebSocket that is used; a test gives its own. */
export interface ChannelSocket {
  binaryType: string
  readonly protocol: string
  readonly readyState: number
  onopen: ((event: Event) => void) | null
  onmessage: ((event: MessageEvent<ArrayBuffer | string>) => void) | null
  onerror: ((event: Event) => void) | null
  onclose: ((event: CloseEvent) => void) | null
  send(data: Uint8Array<ArrayBuffer> | string): void
  close(code?: number): void
}

export interface ChannelListener {
  notice(notice: DisplayNotice): void
  closed(code: number): void
}

const OPEN = 1

export class DisplayChannel implements RawChannel {
  onopen: RawChannel['onopen'] = null
  onmessage: RawChannel['onmessage'] = null
  onerror: RawChannel['onerror'] = null
  onclose: RawChannel['onclose'] = null
  readonly #socket: ChannelSocket

  constructor(socket: ChannelSocket, listener: ChannelListener) {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = (event) => this.onopen?.(event)
    socket.onerror = (event) => this.onerror?.(event)
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') {
        const notice = parse(event.data)
        if (notice) listener.notice(notice)
      } else this.onmessage?.(event as MessageEvent<ArrayBuffer>)
    }
    socket.onclose = (event) => {
      // First why, then noVNC's clearing up.
      listener.closed(event.code)
      this.onclose?.(event)
    }
  }

  get binaryType(): string {
    return this.#socket.binaryType
  }
  set binaryType(type: string) {
    this.#socket.binaryType = type
  }
  get protocol(): string {
    return this.#socket.protocol
  }
  get readyState(): number {
    return this.#socket.readyState
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data)
  }

  request(request: DisplayRequest): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(JSON.stringify(request))
  }

  close(): void {
    this.#socket.close(1000)
  }
}

function parse(text: string): DisplayNotice | undefined {
  try {
    return displayNoticeSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
