import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ByteWriter } from '../byte-writer.ts'
import { CLIENT_MESSAGE, ENCODING, PSEUDO } from '../protocol.ts'
import { NovncClient, type NovncPicture, novncPixelFormatFields } from './novnc.ts'

export interface PseudoRect {
  readonly encoding: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** A connection to the unix socket at `path`, as soon as somebody listens there: the file exists a moment before that. */
export async function dial(path: string): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const socket = connect(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      if (tries === 3000) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/**
 * A viewer made by hand: it speaks the protocol's bytes itself and leaves pixels to noVNC's decoders. What it is
 * told is kept in `picture`, `pseudo` and `messages`.
 */
export class TestClient {
  picture!: NovncPicture
  name = ''
  updates = 0
  bytes = 0
  readonly pseudo: PseudoRect[] = []
  readonly encodings = new Set<number>()
  /** Other server messages, whole. */
  readonly messages: Uint8Array[] = []
  closed = false
  /** Whether fences are answered at once. */
  answerFences = true
  readonly fences: Uint8Array[] = []
  private readonly stream: Duplex
  private decoders!: NovncClient
  private pending = Buffer.alloc(0)
  private waiters: (() => void)[] = []
  private stage: 'handshake' | 'normal' = 'handshake'

  constructor(stream: Duplex) {
    this.stream = stream
    stream.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
      this.pending = Buffer.concat([this.pending, chunk])
      if (this.stage === 'normal') this.parse()
      this.notify()
    })
    const over = (): void => {
      this.closed = true
      this.notify()
    }
    stream.on('end', over)
    stream.on('close', over)
    stream.on('error', () => {})
  }

  /** RFC 6143, 7.1 to 7.3, version 3.8 with security type None. */
  async connect(): Promise<void> {
    const version = await this.take(12)
    if (version.toString('latin1') !== 'RFB 003.008\n') throw new Error(`version ${version}`)
    this.send(version)
    const security = await this.take(2)
    if (security.toString('hex') !== '0101') throw new Error(`security ${security.toString('hex')}`)
    this.send(Uint8Array.of(1))
    if ((await this.take(4)).readUInt32BE(0) !== 0) throw new Error('SecurityResult')
    this.send(Uint8Array.of(1))
    await this.init()
  }

  /** From ServerInit on. */
  async init(): Promise<void> {
    const head = await this.take(24)
    this.name = (await this.take(head.readUInt32BE(20))).toString('utf8')
    await this.resized(head.readUInt16BE(0), head.readUInt16BE(2))
    this.stage = 'normal'
    this.setPixelFormat()
  }

  async take(count: number): Promise<Buffer> {
    await this.until(() => this.pending.length >= count)
    const bytes = this.pending.subarray(0, count)
    this.pending = this.pending.subarray(count)
    return bytes
  }

  /** Waits for a condition that what comes from the server makes true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed) throw new Error('the server closed the connection')
      await new Promise<void>((resolve) => this.waiters.push(resolve))
    }
  }

  send(bytes: Uint8Array): void {
    this.stream.write(bytes)
  }

  setPixelFormat(fields = novncPixelFormatFields): void {
    const out = new ByteWriter()
    out.u8(CLIENT_MESSAGE.SET_PIXEL_FORMAT)
    out.zeros(3)
    out.u8(fields.bitsPerPixel)
    out.u8(fields.depth)
    out.u8(fields.bigEndian ? 1 : 0)
    out.u8(1)
    for (const max of [fields.redMax, fields.greenMax, fields.blueMax]) out.u16(max)
    for (const shift of [fields.redShift, fields.greenShift, fields.blueShift]) out.u8(shift)
    out.zeros(3)
    this.send(out.take())
  }

  setEncodings(...encodings: number[]): void {
    const out = new ByteWriter()
    out.u8(CLIENT_MESSAGE.SET_ENCODINGS)
    out.u8(0)
    out.u16(encodings.length)
    for (const encoding of encodings) out.u32(encoding)
    this.send(out.take())
  }

  request(incremental = true): void {
    const out = new ByteWriter()
    out.u8(CLIENT_MESSAGE.FRAMEBUFFER_UPDATE_REQUEST)
    out.u8(incremental ? 1 : 0)
    out.u32(0)
    out.u16(this.picture.width)
    out.u16(this.picture.height)
    this.send(out.take())
  }

  continuousUpdates(enable = true): void {
    const out = new ByteWriter()
    out.u8(CLIENT_MESSAGE.ENABLE_CONTINUOUS_UPDATES)
    out.u8(enable ? 1 : 0)
    out.u32(0)
    out.u16(this.picture.width)
    out.u16(this.picture.height)
    this.send(out.take())
  }

  key(keysym: number, down: boolean, scancode = 0): void {
    const out = new ByteWriter()
    if (scancode === 0) {
      out.u8(CLIENT_MESSAGE.KEY_EVENT)
      out.u8(down ? 1 : 0)
      out.u16(0)
      out.u32(keysym)
    } else {
      out.u8(CLIENT_MESSAGE.QEMU)
      out.u8(0)
      out.u16(down ? 1 : 0)
      out.u32(keysym)
      out.u32(scancode)
    }
    this.send(out.take())
  }

  pointer(x: number, y: number, mask: number): void {
    const out = new ByteWriter()
    out.u8(CLIENT_MESSAGE.POINTER_EVENT)
    out.u8(mask)
    out.u16(x)
    out.u16(y)
    this.send(out.take())
  }

  setDesktopSize(width: number, height: number): void {
    const out = new ByteWriter()
    out.u8(CLIENT_MESSAGE.SET_DESKTOP_SIZE)
    out.u8(0)
    out.u16(width)
    out.u16(height)
    out.u16(0x100)
    out.u32(0)
    out.u32(0)
    out.u16(width)
    out.u16(height)
    out.u32(0)
    this.send(out.take())
  }

  fence(flags: number, payload: Uint8Array): void {
    const out = new ByteWriter()
    out.u8(CLIENT_MESSAGE.FENCE)
    out.zeros(3)
    out.u32(flags)
    out.u8(payload.length)
    out.append(payload)
    this.send(out.take())
  }

  close(): void {
    this.stream.destroy()
  }

  private notify(): void {
    const { waiters } = this
    this.waiters = []
    for (const wake of waiters) wake()
  }

  private async resized(width: number, height: number): Promise<void> {
    this.decoders = await NovncClient.create(width, height)
    this.picture = this.decoders.picture
  }

  /** Handles whole messages; a message whose bytes are not all there is begun again when more come. */
  private parse(): void {
    for (;;) {
      const length = this.pending.length === 0 ? null : this.messageLength()
      if (length === null) return
      this.pending = this.pending.subarray(length)
      this.notify()
    }
  }

  private messageLength(): number | null {
    const { pending } = this
    const lengthOf = (header: number, length: () => number): number | null => {
      if (pending.length < header) return null
      const total = header + length()
      if (pending.length < total) return null
      this.messages.push(Uint8Array.from(pending.subarray(0, total)))
      return total
    }
    switch (pending[0]) {
      case 0:
        return this.update()
      case 2:
      case 150:
        return lengthOf(1, () => 0)
      case 3:
        return lengthOf(8, () => Math.abs(pending.readInt32BE(4)))
      case 248: {
        const total = lengthOf(9, () => pending[8]!)
        if (total !== null) {
          const fence = this.messages.pop()!
          if ((fence[4]! & 0x80) === 0) this.messages.push(fence)
          else if (this.answerFences) this.fence(fence[7]! & 3, fence.subarray(9))
          else this.fences.push(fence)
        }
        return total
      }
      default:
        throw new Error(`server message ${pending[0]}`)
    }
  }

  private update(): number | null {
    const { pending } = this
    if (pending.length < 4) return null
    const count = pending.readUInt16BE(2)
    const rects: { at: number; end: number; encoding: number }[] = []
    let at = 4
    for (let i = 0; i < count; i++) {
      if (pending.length < at + 12) return null
      const encoding = pending.readInt32BE(at + 8)
      const body = this.bodyLength(encoding, at)
      if (body === null || pending.length < at + 12 + body) return null
      rects.push({ at, end: at + 12 + body, encoding })
      at += 12 + body
    }
    for (const rect of rects) {
      const [x, y, width, height] = [0, 2, 4, 6].map((o) => pending.readUInt16BE(rect.at + o)) as [
        number,
        number,
        number,
        number,
      ]
      const { encoding } = rect
      this.encodings.add(encoding)
      if (encoding >= 0 && encoding < 100) {
        this.decoders.decode(pending.subarray(rect.at, rect.end))
        continue
      }
      const data = Uint8Array.from(pending.subarray(rect.at + 12, rect.end))
      this.pseudo.push({ encoding, x, y, width, height, data })
      if (encoding === PSEUDO.DESKTOP_SIZE || encoding === PSEUDO.EXTENDED_DESKTOP_SIZE) {
        this.picture = this.decoders.resize(width, height)
      }
    }
    this.updates++
    return at
  }

  /** How many bytes follow a rectangle's header; null when that cannot be known yet. */
  private bodyLength(encoding: number, at: number): number | null {
    const { pending } = this
    const width = pending.readUInt16BE(at + 4)
    const height = pending.readUInt16BE(at + 6)
    const body = at + 12
    switch (encoding) {
      case ENCODING.RAW:
        return width * height * 4
      case ENCODING.COPY_RECT:
        return 4
      case ENCODING.ZRLE:
        return pending.length < body + 4 ? null : 4 + pending.readUInt32BE(body)
      case ENCODING.TIGHT:
        return tightLength(pending, body, width, height)
      case PSEUDO.EXTENDED_DESKTOP_SIZE:
        return pending.length < body + 1 ? null : 4 + pending[body]! * 16
      case PSEUDO.DESKTOP_NAME:
        return pending.length < body + 4 ? null : 4 + pending.readUInt32BE(body)
      case PSEUDO.CURSOR:
        return width * height * 4 + Math.ceil(width / 8) * height
      case PSEUDO.CURSOR_WITH_ALPHA:
        return 4 + width * height * 4
      case PSEUDO.VMWARE_CURSOR:
        return 2 + width * height * 4
      case PSEUDO.QEMU_LED_STATE:
        return 1
      case PSEUDO.VMWARE_LED_STATE:
        return 4
      default:
        return 0
    }
  }
}

/** rfbproto, Tight: the length of one rectangle's data, with three bytes a pixel. */
function tightLength(bytes: Buffer, at: number, width: number, height: number): number | null {
  let next = at
  const u8 = (): number => {
    if (next >= bytes.length) throw new RangeError()
    return bytes[next++]!
  }
  const compact = (): number => {
    let length = u8()
    if (length >= 0x80) {
      length = (length & 0x7f) | (u8() << 7)
      if (length >= 0x4000) length = (length & 0x3fff) | (u8() << 14)
    }
    return length
  }
  try {
    const control = u8() >>> 4
    if (control === 8) return next + 3 - at
    if (control === 9) {
      const length = compact()
      return next + length - at
    }
    let bits = 24
    if ((control & 4) !== 0 && u8() === 1) {
      const colours = u8() + 1
      next += colours * 3
      bits = colours === 2 ? 1 : 8
    }
    const data = Math.ceil((width * bits) / 8) * height
    if (data < 12) return next + data - at
    const length = compact()
    return next + length - at
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
