import type { Duplex } from 'node:stream'
import { type Picture, ViewerDamage } from '../display/picture.ts'
import { ByteReader } from './byte-reader.ts'
import { type ClientMessage, parseClientMessage, RfbProtocolError } from './client-messages.ts'
import { Clipboard } from './clipboard.ts'
import { Composer, type JpegFactory } from './composer.ts'
import type { Candidate } from './control-holder.ts'
import { Flow } from './flow.ts'
import { FrameWriter } from './frame-writer.ts'
import { takeIntroduction } from './introduction.ts'
import { PaintedCursor } from './painted-cursor.ts'
import { type PixelFormat, serverPixelFormat } from './pixel-format.ts'
import { FENCE_FLAG, PSEUDO, RESIZE_STATUS, SECURITY_NONE, SERVER_MESSAGE } from './protocol.ts'
import { type ScreenNews, ScreenState } from './screen-state.ts'

/** What a viewer asks of its server. */
export interface ViewerHost {
  /** Something happened that may let an update go. */
  wake(): void
  key(viewer: Viewer, scancode: number, keysym: number, down: boolean): void
  pointer(viewer: Viewer, x: number, y: number, buttons: number): void
  clipboard(viewer: Viewer, text: string): void
  /** Asks the guest for another size; false when there is nobody to ask. */
  resize(viewer: Viewer, width: number, height: number): boolean
  /** It said who it is, or began without. */
  arrived(viewer: Viewer): void
  /** Whether its keys and pointer count now. */
  mayType(viewer: Viewer): boolean
  /** The connection is over; `error` when the viewer broke the protocol. */
  closed(viewer: Viewer, error: Error | null): void
  readonly name: string
  readonly picture: Picture
}

export interface ViewerOptions {
  /** What it is called until it says so itself. */
  readonly id: string
  readonly viewOnly: boolean
  readonly jpeg: JpegFactory | null
}

type Stage = 'introduction' | 'version' | 'security' | 'client-init' | 'normal'

/** No viewer gets more updates a second than a screen shows. */
const FRAME_INTERVAL = 1000 / 60
const HANDSHAKE_LIMIT = 20_000
/** More than any update: a viewer that asks and never reads is closed before its answers fill our memory. */
const MAX_UNREAD = 32 * 1024 * 1024

/** One RFB connection: handshake, messages, what it was sent and what it may be sent next. */
export class Viewer implements Candidate {
  id: string
  name = ''
  mayType: boolean
  introduced = false
  /** Milliseconds since the Unix epoch. */
  readonly since = Date.now()
  /** Statistics for the page. */
  readonly stats = { updates: 0, bytes: 0, messages: 0 }
  readonly flow = new Flow()
  readonly damage = new ViewerDamage()
  private readonly host: ViewerHost
  private readonly stream: Duplex
  private readonly reader = new ByteReader()
  private readonly out = new FrameWriter(64 * 1024)
  private readonly composer: Composer
  private readonly clip: Clipboard
  private readonly handshake: NodeJS.Timeout
  private stage: Stage = 'introduction'
  private minor = 8
  private format: PixelFormat = serverPixelFormat
  private wanted = false
  private continuous = false
  private fences = false
  private blocked = false
  private nextFrame = 0
  private open = true
  private readonly state: ScreenState
  private readonly cursor = new PaintedCursor()

  constructor(host: ViewerHost, stream: Duplex, options: ViewerOptions) {
    this.host = host
    this.stream = stream
    this.id = options.id
    this.mayType = !options.viewOnly
    this.composer = new Composer(options.jpeg)
    this.state = new ScreenState(host.name)
    this.clip = new Clipboard(
      (bytes) => this.write(bytes),
      (text) => {
        if (host.mayType(this)) host.clipboard(this, text)
      },
    )
    stream.on('data', (chunk: Buffer) => this.receive(chunk))
    stream.on('drain', () => {
      this.blocked = false
      host.wake()
    })
    stream.on('error', () => this.close(null))
    stream.on('close', () => this.close(null))
    stream.on('end', () => this.close(null))
    this.handshake = setTimeout(() => this.close(new RfbProtocolError('handshake-timeout')), HANDSHAKE_LIMIT)
    this.handshake.unref()
    this.write(Buffer.from('RFB 003.008\n', 'latin1'))
  }

  get encoding(): number {
    return this.composer.encoding
  }

  get connected(): boolean {
    return this.open && this.stage === 'normal'
  }

  /** When an update may go at the earliest: now or later, or null while the viewer has not asked or not read. */
  ready(now: number): number | null {
    if (!this.connected || this.blocked || !(this.wanted || this.continuous)) return null
    return Math.max(now, this.nextFrame, this.fences ? this.flow.opensAt(now) : now)
  }

  /** Sends what the viewer lacks, if anything. False when there was nothing. */
  update(picture: Picture, news: ScreenNews, now: number): boolean {
    const { out, state } = this
    out.begin()
    if (!state.writeSize(picture, out)) {
      state.write(news, this.format, out)
      if (!state.drawsCursor) this.cursor.follow(news.cursor, news.shape, picture, this.damage)
      if (this.damage.refine(picture) || !this.damage.lossy.empty) this.compose(picture, news, now)
    }
    if (!out.end()) return false
    this.wanted = false
    this.nextFrame = now + FRAME_INTERVAL
    this.stats.updates++
    if (this.fences) this.writeFence(this.flow.sent(out.length, now))
    this.write(out.take())
    return true
  }

  private compose(picture: Picture, news: ScreenNews, now: number): void {
    const { out, state } = this
    const options = {
      budget: this.fences ? this.flow.budget : 4 * 1024 * 1024,
      slow: this.fences && this.flow.slow,
      now,
      width: Math.min(state.width, picture.width),
      height: Math.min(state.height, picture.height),
    }
    const compose = (): void => this.composer.compose(picture, this.damage, this.format, out, options)
    if (state.drawsCursor) compose()
    else this.cursor.within(news.cursor, news.shape, picture, compose)
  }

  /** The guest's clipboard changed. */
  offerClipboard(text: string): void {
    if (this.connected) this.clip.offer(text)
  }

  bell(): void {
    if (this.connected) this.write(Uint8Array.of(SERVER_MESSAGE.BELL))
  }

  close(error: Error | null): void {
    if (!this.open) return
    this.open = false
    clearTimeout(this.handshake)
    this.composer.close()
    this.stream.destroy()
    this.host.closed(this, error)
  }

  private receive(chunk: Uint8Array): void {
    if (!this.open) return
    try {
      this.reader.append(chunk)
      while (this.open && this.step()) this.stats.messages++
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Handles the next whole message; false when more bytes are needed. */
  private step(): boolean {
    const { reader } = this
    switch (this.stage) {
      case 'introduction': {
        const who = takeIntroduction(reader)
        if (who === undefined) return false
        if (who !== null) {
          this.id = who.id
          this.name = who.name
          this.mayType = who.input
          this.introduced = true
        }
        this.stage = 'version'
        this.host.arrived(this)
        return true
      }
      case 'version': {
        if (reader.available < 12) return false
        const version = /^RFB 003\.(\d{3})\n$/.exec(Buffer.from(reader.slice(0, 12)).toString('latin1'))
        if (version === null) throw new RfbProtocolError('bad-version')
        reader.skip(12)
        const minor = Number(version[1])
        // RFC 6143, 7.1.1: what is neither 3.7 nor 3.8 is treated as 3.3.
        this.minor = minor === 7 || minor === 8 ? minor : 3
        this.stage = this.minor === 3 ? 'client-init' : 'security'
        this.write(Uint8Array.from(this.minor === 3 ? [0, 0, 0, SECURITY_NONE] : [1, SECURITY_NONE]))
        return true
      }
      case 'security': {
        if (reader.available < 1) return false
        if (reader.u8(0) !== SECURITY_NONE) {
          throw new RfbProtocolError('bad-security-type', `${reader.u8(0)}`)
        }
        reader.skip(1)
        // 7.2.1: version 3.7 has no SecurityResult for None.
        if (this.minor === 8) this.write(new Uint8Array(4))
        this.stage = 'client-init'
        return true
      }
      case 'client-init':
        if (reader.available < 1) return false
        // The shared flag: every viewer shares here.
        reader.skip(1)
        this.serverInit()
        this.stage = 'normal'
        clearTimeout(this.handshake)
        return true
      case 'normal': {
        const message = parseClientMessage(reader)
        if (message === null) return false
        this.handle(message)
        return true
      }
    }
  }

  /** RFC 6143, 7.3.2. */
  private serverInit(): void {
    const { out } = this
    const { picture } = this.host
    this.state.takeSize(picture)
    const { fields } = serverPixelFormat
    out.u16(this.state.width)
    out.u16(this.state.height)
    out.u8(fields.bitsPerPixel)
    out.u8(fields.depth)
    out.u8(0)
    out.u8(1)
    for (const max of [fields.redMax, fields.greenMax, fields.blueMax]) out.u16(max)
    for (const shift of [fields.redShift, fields.greenShift, fields.blueShift]) out.u8(shift)
    out.zeros(3)
    const name = Buffer.from(this.host.name, 'utf8')
    out.u32(name.length)
    out.append(name)
    this.write(out.take())
  }

  private handle(message: ClientMessage): void {
    const { host } = this
    switch (message.type) {
      case 'set-pixel-format':
        this.format = message.format
        this.damage.invalidate(host.picture)
        this.state.forgetCursor()
        return
      case 'set-encodings':
        this.setEncodings(message.encodings)
        return
      case 'update-request':
        if (!message.incremental) {
          const { width, height } = host.picture
          const right = Math.min(message.x + message.width, width)
          const bottom = Math.min(message.y + message.height, height)
          this.damage.invalidateRect(message.x, message.y, right - message.x, bottom - message.y)
        }
        this.wanted = true
        host.wake()
        return
      case 'key':
        if (host.mayType(this)) host.key(this, message.scancode, message.keysym, message.down)
        return
      case 'pointer':
        if (host.mayType(this)) host.pointer(this, message.x, message.y, message.buttons)
        return
      case 'cut-text':
        if (host.mayType(this)) host.clipboard(this, message.text)
        return
      case 'clipboard':
        this.clip.handle(message.flags, message.data)
        return
      case 'continuous-updates':
        this.continuous = message.enable
        if (!message.enable) this.write(Uint8Array.of(SERVER_MESSAGE.END_OF_CONTINUOUS_UPDATES))
        host.wake()
        return
      case 'fence':
        this.fence(message.flags, message.payload)
        return
      case 'set-desktop-size':
        this.state.answerResize(this.resizeStatus(message))
        host.wake()
        return
      case 'ignored':
        return
    }
  }

  private setEncodings(encodings: Int32Array): void {
    const { state } = this
    const listed = new Set(encodings)
    this.composer.setEncodings(encodings)
    state.setEncodings(listed)
    if (state.drawsCursor) this.cursor.leave(this.host.picture, this.damage)
    // Both are said by using them, once, to a viewer that can hear it.
    if (state.first(PSEUDO.FENCE)) {
      this.writeFence(0)
      this.write(this.out.take())
    }
    if (state.first(PSEUDO.CONTINUOUS_UPDATES)) {
      this.write(Uint8Array.of(SERVER_MESSAGE.END_OF_CONTINUOUS_UPDATES))
    }
    if (listed.has(PSEUDO.EXTENDED_CLIPBOARD)) this.clip.enable()
    this.host.wake()
  }

  private fence(flags: number, payload: Uint8Array): void {
    if (flags & FENCE_FLAG.REQUEST) {
      // Messages are handled one by one in order, which is what both Block flags ask for. SyncNext is left out:
      // an answer names only the flags that were honoured.
      const { out } = this
      out.u8(SERVER_MESSAGE.FENCE)
      out.zeros(3)
      out.u32(flags & (FENCE_FLAG.BLOCK_BEFORE | FENCE_FLAG.BLOCK_AFTER))
      out.u8(payload.length)
      out.append(payload)
      this.write(out.take())
      return
    }
    this.fences = true
    if (payload.length === 4) {
      const id = new DataView(payload.buffer, payload.byteOffset).getUint32(0)
      this.flow.answered(id, performance.now())
    }
    this.host.wake()
  }

  private writeFence(id: number): void {
    const { out } = this
    out.u8(SERVER_MESSAGE.FENCE)
    out.zeros(3)
    // BlockBefore: the answer says that the update was worked off.
    out.u32(FENCE_FLAG.REQUEST | FENCE_FLAG.BLOCK_BEFORE)
    out.u8(4)
    out.u32(id)
  }

  private resizeStatus(message: Extract<ClientMessage, { type: 'set-desktop-size' }>): number {
    if (!this.host.mayType(this)) return RESIZE_STATUS.PROHIBITED
    const { width, height, screens } = message
    const screen = screens[0]
    if (
      screens.length !== 1 ||
      screen === undefined ||
      screen.x !== 0 ||
      screen.y !== 0 ||
      screen.width !== width ||
      screen.height !== height ||
      width === 0 ||
      height === 0
    ) {
      return RESIZE_STATUS.INVALID_LAYOUT
    }
    if (width === this.state.width && height === this.state.height) return RESIZE_STATUS.OK
    // Whether and when is the guest's decision; the new size is told when it is there.
    return this.host.resize(this, width, height) ? RESIZE_STATUS.FORWARDED : RESIZE_STATUS.PROHIBITED
  }

  private write(bytes: Uint8Array): void {
    if (!this.open) return
    this.stats.bytes += bytes.length
    if (!this.stream.write(bytes)) this.blocked = true
    if (this.stream.writableLength > MAX_UNREAD) this.close(new RfbProtocolError('not-reading'))
  }
}
