import type { ByteReader } from './byte-reader.ts'
import { PIXEL_FORMAT_BYTES, PixelFormat } from './pixel-format.ts'
import { CLIENT_MESSAGE, FENCE_MAX_PAYLOAD } from './protocol.ts'

/** What a viewer's bytes may be wrong by; each is counted by the server under this name. */
export type ProtocolFault =
  | 'bad-version'
  | 'bad-security-type'
  | 'unknown-message'
  | 'unknown-qemu-message'
  | 'bad-pixel-format'
  | 'fence-too-long'
  | 'too-many-encodings'
  | 'cut-text-too-long'
  | 'bad-clipboard'
  | 'handshake-timeout'
  | 'not-reading'
  | 'bad-introduction'

/** A viewer that breaks the protocol is closed; nobody else notices. */
export class RfbProtocolError extends Error {
  readonly fault: ProtocolFault
  constructor(fault: ProtocolFault, detail = '') {
    super(detail === '' ? fault : `${fault}: ${detail}`)
    this.name = 'RfbProtocolError'
    this.fault = fault
  }
}

export interface Screen {
  readonly id: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly flags: number
}

export type ClientMessage =
  | { readonly type: 'set-pixel-format'; readonly format: PixelFormat }
  | { readonly type: 'set-encodings'; readonly encodings: Int32Array }
  | {
      readonly type: 'update-request'
      readonly incremental: boolean
      readonly x: number
      readonly y: number
      readonly width: number
      readonly height: number
    }
  /** `scancode` is XT set 1 with 0x80 for an E0 prefix, or 0 when the viewer only knows the keysym. */
  | { readonly type: 'key'; readonly down: boolean; readonly keysym: number; readonly scancode: number }
  | { readonly type: 'pointer'; readonly x: number; readonly y: number; readonly buttons: number }
  | { readonly type: 'cut-text'; readonly text: string }
  | { readonly type: 'clipboard'; readonly flags: number; readonly data: Uint8Array }
  | { readonly type: 'continuous-updates'; readonly enable: boolean }
  | { readonly type: 'fence'; readonly flags: number; readonly payload: Uint8Array }
  | {
      readonly type: 'set-desktop-size'
      readonly width: number
      readonly height: number
      readonly screens: readonly Screen[]
    }
  /** Understood, and of no consequence. */
  | { readonly type: 'ignored' }

const MAX_ENCODINGS = 1024
/** Longer texts are dropped as they come, unbuffered. */
const MAX_CUT_TEXT = 1024 * 1024
/** Nobody's clipboard; whoever sends it does not speak RFB. */
const ABSURD_CUT_TEXT = 256 * 1024 * 1024

const ignored: ClientMessage = { type: 'ignored' }

/**
 * Takes the next whole message off the reader, or null when it is not there yet. Throws RfbProtocolError.
 * RFC 6143, section 7.5, and rfbproto for the extensions.
 */
export function parseClientMessage(reader: ByteReader): ClientMessage | null {
  if (reader.available < 1) return null
  switch (reader.u8(0)) {
    case CLIENT_MESSAGE.SET_PIXEL_FORMAT:
      return setPixelFormat(reader)
    case CLIENT_MESSAGE.SET_ENCODINGS:
      return setEncodings(reader)
    case CLIENT_MESSAGE.FRAMEBUFFER_UPDATE_REQUEST:
      return whole(reader, 10, () => ({
        type: 'update-request',
        incremental: reader.u8(1) !== 0,
        x: reader.u16(2),
        y: reader.u16(4),
        width: reader.u16(6),
        height: reader.u16(8),
      }))
    case CLIENT_MESSAGE.KEY_EVENT:
      return whole(reader, 8, () => ({
        type: 'key',
        down: reader.u8(1) !== 0,
        keysym: reader.u32(4),
        scancode: 0,
      }))
    case CLIENT_MESSAGE.POINTER_EVENT:
      return pointer(reader)
    case CLIENT_MESSAGE.CLIENT_CUT_TEXT:
      return cutText(reader)
    case CLIENT_MESSAGE.ENABLE_CONTINUOUS_UPDATES:
      return whole(reader, 10, () => ({ type: 'continuous-updates', enable: reader.u8(1) !== 0 }))
    case CLIENT_MESSAGE.FENCE:
      return fence(reader)
    case CLIENT_MESSAGE.SET_DESKTOP_SIZE:
      return setDesktopSize(reader)
    case CLIENT_MESSAGE.QEMU:
      return qemu(reader)
    default:
      throw new RfbProtocolError('unknown-message', `type ${reader.u8(0)}`)
  }
}

function whole(reader: ByteReader, length: number, read: () => ClientMessage): ClientMessage | null {
  if (reader.available < length) return null
  const message = read()
  reader.skip(length)
  return message
}

function setPixelFormat(reader: ByteReader): ClientMessage | null {
  return whole(reader, 4 + PIXEL_FORMAT_BYTES, () => {
    const bytes = reader.slice(4, PIXEL_FORMAT_BYTES)
    const format = PixelFormat.parse(new DataView(bytes.buffer), 0)
    if (format === null) throw new RfbProtocolError('bad-pixel-format', Buffer.from(bytes).toString('hex'))
    return { type: 'set-pixel-format', format }
  })
}

function setEncodings(reader: ByteReader): ClientMessage | null {
  if (reader.available < 4) return null
  const count = reader.u16(2)
  if (count > MAX_ENCODINGS) throw new RfbProtocolError('too-many-encodings', `${count}`)
  return whole(reader, 4 + count * 4, () => {
    const encodings = new Int32Array(count)
    for (let i = 0; i < count; i++) encodings[i] = reader.i32(4 + i * 4)
    return { type: 'set-encodings', encodings }
  })
}

/** With ExtendedMouseButtons, bit 7 of the mask says that a byte with buttons 8 and 9 follows (rfbproto). */
function pointer(reader: ByteReader): ClientMessage | null {
  if (reader.available < 6) return null
  const mask = reader.u8(1)
  const extended = (mask & 0x80) !== 0
  return whole(reader, extended ? 7 : 6, () => ({
    type: 'pointer',
    buttons: (mask & 0x7f) | (extended ? (reader.u8(6) & 3) << 7 : 0),
    x: reader.u16(2),
    y: reader.u16(4),
  }))
}

/** A negative length marks ExtendedClipboard (rfbproto). */
function cutText(reader: ByteReader): ClientMessage | null {
  if (reader.available < 8) return null
  const signed = reader.i32(4)
  const length = Math.abs(signed)
  if (length > ABSURD_CUT_TEXT) throw new RfbProtocolError('cut-text-too-long', `${length} bytes`)
  if (length > MAX_CUT_TEXT) {
    reader.skip(8 + length)
    return ignored
  }
  if (signed < 0 && length < 4) throw new RfbProtocolError('bad-clipboard', `${length} bytes`)
  return whole(reader, 8 + length, () =>
    signed < 0
      ? { type: 'clipboard', flags: reader.u32(8), data: reader.slice(12, length - 4) }
      : { type: 'cut-text', text: Buffer.from(reader.slice(8, length)).toString('latin1') },
  )
}

function fence(reader: ByteReader): ClientMessage | null {
  if (reader.available < 9) return null
  const length = reader.u8(8)
  if (length > FENCE_MAX_PAYLOAD) throw new RfbProtocolError('fence-too-long', `${length} bytes`)
  return whole(reader, 9 + length, () => ({
    type: 'fence',
    flags: reader.u32(4),
    payload: reader.slice(9, length),
  }))
}

function setDesktopSize(reader: ByteReader): ClientMessage | null {
  if (reader.available < 8) return null
  const count = reader.u8(6)
  return whole(reader, 8 + count * 16, () => {
    const screens: Screen[] = []
    for (let i = 0; i < count; i++) {
      const at = 8 + i * 16
      screens.push({
        id: reader.u32(at),
        x: reader.u16(at + 4),
        y: reader.u16(at + 6),
        width: reader.u16(at + 8),
        height: reader.u16(at + 10),
        flags: reader.u32(at + 12),
      })
    }
    return { type: 'set-desktop-size', width: reader.u16(2), height: reader.u16(4), screens }
  })
}

/** QEMU's messages: extended key events; audio requests are read over (no sound yet). */
function qemu(reader: ByteReader): ClientMessage | null {
  if (reader.available < 2) return null
  switch (reader.u8(1)) {
    case 0:
      return whole(reader, 12, () => ({
        type: 'key',
        down: reader.u16(2) !== 0,
        keysym: reader.u32(4),
        scancode: reader.u32(8) & 0xff,
      }))
    case 1:
      if (reader.available < 4) return null
      return whole(reader, reader.u16(2) === 2 ? 10 : 4, () => ignored)
    default:
      throw new RfbProtocolError('unknown-qemu-message', `subtype ${reader.u8(1)}`)
  }
}
