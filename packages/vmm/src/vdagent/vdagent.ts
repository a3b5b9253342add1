import { VdAgentProtocolError, VdAgentReader } from './message-reader.ts'
import {
  CHUNK_HEADER_BYTES,
  MAX_CHUNK_DATA,
  MAX_CLIPBOARD_BYTES,
  MESSAGE_HEADER_BYTES,
  VD_AGENT,
  VD_AGENT_CAP,
  VD_AGENT_CLIPBOARD,
  VD_AGENT_CLIPBOARD_SELECTION_CLIPBOARD,
  VD_AGENT_PROTOCOL,
  VDP,
} from './protocol.ts'

export interface VdAgentOptions {
  /** Sends bytes to the guest's agent, in order; false: there is no room, nothing was taken. */
  readonly send: (bytes: Uint8Array) => boolean
  /** The guest copied text. Lines end with LF. */
  readonly copied: (text: string) => void
  /** Whether the guest has an agent that shares its clipboard. */
  readonly available: (on: boolean) => void
  /** One line for the log, the first time only: a guest that goes on like that fills no disk. */
  readonly fault: (text: string) => void
}

const CAPABILITIES = (1 << VD_AGENT_CAP.CLIPBOARD_BY_DEMAND) | (1 << VD_AGENT_CAP.CLIPBOARD_SELECTION)
/** Two texts of the largest size. A guest that asks and does not read gets no more answers than this. */
const MAX_OUTBOX_BYTES = 2 * MAX_CLIPBOARD_BYTES + 64 * 1024

/**
 * The host's side of a guest's spice-vdagent: text of the clipboard, both ways, by demand. The guest is hostile: sizes
 * are capped, what is no message makes us deaf until the port is opened anew, and nothing is kept without bound.
 */
export class VdAgent {
  private readonly options: VdAgentOptions
  private readonly reader = new VdAgentReader(({ type, data }) => this.message(type, data))
  private readonly outbox: Uint8Array[] = []
  private outboxBytes = 0
  private open = false
  private deaf = false
  private faulted = false
  /** The guest's, as a bit mask; null until it announced them. */
  private capabilities: number | null = null
  /** What a viewer copied last, as long as the guest has not copied anything since. */
  private hostText: string | null = null

  constructor(options: VdAgentOptions) {
    this.options = options
  }

  /** A program of the guest opened the port, or closed it; always told before its first byte. */
  opened(open: boolean): void {
    const was = this.shares
    this.reader.reset()
    this.outbox.length = 0
    this.outboxBytes = 0
    this.deaf = false
    this.capabilities = null
    this.open = open
    if (was) this.options.available(false)
    // An agent that ran on while we came (a restored VM) does not announce by itself.
    if (open) this.announce(true)
  }

  /** Bytes of the guest's agent. Never throws. */
  receive(bytes: Uint8Array): void {
    if (!this.open || this.deaf) return
    try {
      this.reader.append(bytes)
    } catch (error) {
      if (!(error instanceof VdAgentProtocolError)) throw error
      this.deaf = true
      this.outbox.length = 0
      this.options.available(false)
      if (!this.faulted)
        this.options.fault(`the guest's clipboard agent sent no message of its protocol: ${error.message}`)
      this.faulted = true
    }
  }

  /** A viewer copied text; longer than MAX_CLIPBOARD_BYTES is left out. */
  offer(text: string): void {
    if (Buffer.byteLength(text, 'utf8') > MAX_CLIPBOARD_BYTES) return
    this.hostText = text
    this.grab()
  }

  /** There may be room again. */
  flush(): void {
    for (let next = this.outbox[0]; next !== undefined; next = this.outbox[0]) {
      if (!this.options.send(next)) return
      this.outbox.shift()
      this.outboxBytes -= next.length
    }
  }

  private get shares(): boolean {
    return !this.deaf && this.can(VD_AGENT_CAP.CLIPBOARD_BY_DEMAND)
  }

  private can(capability: number): boolean {
    return this.capabilities !== null && (this.capabilities & (1 << capability)) !== 0
  }

  private message(type: number, data: Uint8Array | null): void {
    // Too long for us: a clipboard of many megabytes, or something we do not know.
    if (data === null) return
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (type === VD_AGENT.ANNOUNCE_CAPABILITIES) this.announced(view)
    // What follows is a selection where both sides know of several, and then the message's own fields.
    const known: number[] = [VD_AGENT.CLIPBOARD, VD_AGENT.CLIPBOARD_GRAB, VD_AGENT.CLIPBOARD_REQUEST]
    if (!this.shares || !known.includes(type)) return
    const start = this.can(VD_AGENT_CAP.CLIPBOARD_SELECTION) ? 4 : 0
    if (data.length < start + 4) return
    if (start > 0 && view.getUint8(0) !== VD_AGENT_CLIPBOARD_SELECTION_CLIPBOARD) return
    const format = view.getUint32(start, true)
    if (type === VD_AGENT.CLIPBOARD_GRAB) {
      this.hostText = null
      for (let at = start; at + 4 <= data.length; at += 4)
        if (view.getUint32(at, true) === VD_AGENT_CLIPBOARD.UTF8_TEXT) {
          this.send(VD_AGENT.CLIPBOARD_REQUEST, this.body(VD_AGENT_CLIPBOARD.UTF8_TEXT))
          return
        }
    } else if (type === VD_AGENT.CLIPBOARD_REQUEST) this.answer(format)
    else if (format === VD_AGENT_CLIPBOARD.UTF8_TEXT) {
      const text = new TextDecoder().decode(data.subarray(start + 4))
      this.options.copied((text.endsWith('\0') ? text.slice(0, -1) : text).replaceAll('\r\n', '\n'))
    }
  }

  private announced(view: DataView): void {
    if (view.byteLength < 4) return
    const before = this.shares
    this.capabilities = view.byteLength >= 8 ? view.getUint32(4, true) : 0
    if (view.getUint32(0, true) !== 0) this.announce(false)
    if (this.shares !== before) this.options.available(this.shares)
    this.grab()
  }

  private announce(request: boolean): void {
    const body = new DataView(new ArrayBuffer(8))
    body.setUint32(0, request ? 1 : 0, true)
    body.setUint32(4, CAPABILITIES, true)
    this.send(VD_AGENT.ANNOUNCE_CAPABILITIES, new Uint8Array(body.buffer))
  }

  private grab(): void {
    if (this.hostText !== null && this.shares)
      this.send(VD_AGENT.CLIPBOARD_GRAB, this.body(VD_AGENT_CLIPBOARD.UTF8_TEXT))
  }

  private answer(format: number): void {
    const text = format === VD_AGENT_CLIPBOARD.UTF8_TEXT ? this.hostText : null
    // Nothing of that kind: the guest's program is told so instead of waiting.
    if (text === null) {
      this.send(VD_AGENT.CLIPBOARD, this.body(VD_AGENT_CLIPBOARD.NONE))
      return
    }
    const lines = this.can(VD_AGENT_CAP.GUEST_LINEEND_CRLF) ? text.replaceAll(/\r?\n/g, '\r\n') : text
    this.send(VD_AGENT.CLIPBOARD, this.body(VD_AGENT_CLIPBOARD.UTF8_TEXT, Buffer.from(lines, 'utf8')))
  }

  private body(format: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
    const start = this.can(VD_AGENT_CAP.CLIPBOARD_SELECTION) ? 4 : 0
    const body = new Uint8Array(start + 4 + data.length)
    new DataView(body.buffer).setUint32(start, format, true)
    body.set(data, start + 4)
    return body
  }

  private send(type: number, data: Uint8Array): void {
    if (!this.open || this.deaf) return
    const message = new Uint8Array(MESSAGE_HEADER_BYTES + data.length)
    const header = new DataView(message.buffer)
    header.setUint32(0, VD_AGENT_PROTOCOL, true)
    header.setUint32(4, type, true)
    header.setUint32(16, data.length, true)
    message.set(data, MESSAGE_HEADER_BYTES)
    if (this.outboxBytes + message.length > MAX_OUTBOX_BYTES) return
    for (let at = 0; at < message.length; at += MAX_CHUNK_DATA) {
      const piece = message.subarray(at, at + MAX_CHUNK_DATA)
      const chunk = new Uint8Array(CHUNK_HEADER_BYTES + piece.length)
      const view = new DataView(chunk.buffer)
      view.setUint32(0, VDP.CLIENT_PORT, true)
      view.setUint32(4, piece.length, true)
      chunk.set(piece, CHUNK_HEADER_BYTES)
      this.outbox.push(chunk)
      this.outboxBytes += chunk.length
    }
    this.flush()
  }
}
