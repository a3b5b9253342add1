import { constants, deflateSync, inflateSync } from 'node:zlib'
import { ByteWriter } from './byte-writer.ts'
import { RfbProtocolError } from './client-messages.ts'
import { SERVER_MESSAGE } from './protocol.ts'

/** rfbproto, Extended Clipboard Pseudo-Encoding: flags. */
const FORMAT_TEXT = 1
const ACTION_CAPS = 1 << 24
const ACTION_REQUEST = 1 << 25
const ACTION_PEEK = 1 << 26
const ACTION_NOTIFY = 1 << 27
const ACTION_PROVIDE = 1 << 28
const ACTIONS = 0xff00_0000 | 0

/** A guard against a few bytes that unpack to gigabytes. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024

/**
 * One viewer's clipboard. Text only. Without the extension it is RFC 6143's cut text, Latin-1 and unasked; with
 * it, each side announces and hands over what is asked for, in UTF-8.
 */
export class Clipboard {
  private extended = false
  /** The guest's text, kept until the viewer asks. */
  private text: string | null = null
  private readonly send: (bytes: Uint8Array) => void
  private readonly received: (text: string) => void

  /** `received` gets what the viewer copied. */
  constructor(send: (bytes: Uint8Array) => void, received: (text: string) => void) {
    this.send = send
    this.received = received
  }

  /** The viewer listed the pseudo-encoding: it is told what we can do. */
  enable(): void {
    if (this.extended) return
    this.extended = true
    const size = new ByteWriter(4)
    // No text unasked for: it comes by notify and request.
    size.u32(0)
    this.message(
      ACTION_CAPS | ACTION_REQUEST | ACTION_PEEK | ACTION_NOTIFY | ACTION_PROVIDE | FORMAT_TEXT,
      size.take(),
    )
  }

  /** The guest copied something. */
  offer(text: string): void {
    this.text = text
    if (this.extended) {
      this.message(ACTION_NOTIFY | FORMAT_TEXT)
      return
    }
    const latin1 = Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1')
    const out = new ByteWriter(8 + latin1.length)
    out.u8(SERVER_MESSAGE.SERVER_CUT_TEXT)
    out.zeros(3)
    out.u32(latin1.length)
    out.append(latin1)
    this.send(out.take())
  }

  /** An extended message of the viewer. Throws RfbProtocolError when its data is no such thing. */
  handle(flags: number, data: Uint8Array): void {
    switch (flags & ACTIONS) {
      case ACTION_REQUEST:
        if ((flags & FORMAT_TEXT) !== 0 && this.text !== null) this.provide(this.text)
        return
      case ACTION_PEEK:
        this.message(ACTION_NOTIFY | (this.text === null ? 0 : FORMAT_TEXT))
        return
      case ACTION_NOTIFY:
        if ((flags & FORMAT_TEXT) !== 0) this.message(ACTION_REQUEST | FORMAT_TEXT)
        return
      case ACTION_PROVIDE:
        if ((flags & FORMAT_TEXT) !== 0) this.received(unpack(data))
        return
      default:
        // Caps: the viewer's limits. We only ever send what it asked for.
        return
    }
  }

  private provide(text: string): void {
    const bytes = Buffer.from(`${text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')}\0`, 'utf8')
    const out = new ByteWriter(4 + bytes.length)
    out.u32(bytes.length)
    out.append(bytes)
    this.message(ACTION_PROVIDE | FORMAT_TEXT, deflateSync(out.take()))
  }

  private message(flags: number, data: Uint8Array = new Uint8Array(0)): void {
    const out = new ByteWriter(12 + data.length)
    out.u8(SERVER_MESSAGE.SERVER_CUT_TEXT)
    out.zeros(3)
    out.u32(-(4 + data.length))
    out.u32(flags)
    out.append(data)
    this.send(out.take())
  }
}

/** The text format comes first: u32 size, then UTF-8 with a final NUL and CR LF at line ends. */
function unpack(data: Uint8Array): string {
  let bytes: Buffer
  try {
    bytes = inflateSync(data, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_TEXT_BYTES })
  } catch (error) {
    throw new RfbProtocolError('bad-clipboard', error instanceof Error ? error.message : '')
  }
  if (bytes.length < 4) throw new RfbProtocolError('bad-clipboard', 'no size')
  const size = bytes.readUInt32BE(0)
  if (size > bytes.length - 4) throw new RfbProtocolError('bad-clipboard', `size ${size}`)
  const text = bytes.toString('utf8', 4, 4 + size)
  return (text.endsWith('\0') ? text.slice(0, -1) : text).replaceAll('\r\n', '\n')
}
