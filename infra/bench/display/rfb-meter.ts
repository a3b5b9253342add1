/**
 * A viewer that counts: it reads just enough of RFB to know where an update ends and asks for the next one at once. It
 * decodes no pixels, so what is measured is the server.
 */
import type { Socket } from 'node:net'

const RAW = 0
const COPY_RECT = 1
const TIGHT = 7
const CURSOR = -239
const DESKTOP_SIZE = -223
const LAST_RECT = -224

export interface Counts {
  updates: number
  bytes: number
}

/** Thrown when more bytes are needed: the message under way is read again from its beginning, once they are there. */
class More {
  readonly needed: number
  constructor(needed: number) {
    this.needed = needed
  }
}

class Cursor {
  private readonly bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  take(count: number): number {
    const at = this.at
    if (at + count > this.bytes.length) throw new More(at + count)
    this.at += count
    return at
  }

  u8(): number {
    return this.bytes[this.take(1)]!
  }
  u16(): number {
    return this.bytes.readUInt16BE(this.take(2))
  }
  i32(): number {
    return this.bytes.readInt32BE(this.take(4))
  }
  /** Tight's length: seven bits a byte, at most three. */
  compact(): number {
    const first = this.u8()
    if (first < 128) return first
    const second = this.u8()
    if (second < 128) return (first & 127) | (second << 7)
    return (first & 127) | ((second & 127) << 7) | (this.u8() << 14)
  }
}

/** Tight, in the pixel format asked for below: three bytes a pixel. */
function skipTight(cursor: Cursor, width: number, height: number): void {
  const control = cursor.u8() >> 4
  if (control === 8) {
    cursor.take(3)
    return
  }
  if (control === 9) {
    cursor.take(cursor.compact())
    return
  }
  if (control > 9) throw new Error(`Tight control ${control}`)
  let bytes = width * height * 3
  if (control & 4) {
    const filter = cursor.u8()
    if (filter === 1) {
      const colours = cursor.u8() + 1
      cursor.take(colours * 3)
      bytes = colours === 2 ? Math.ceil(width / 8) * height : width * height
    }
  }
  cursor.take(bytes < 12 ? bytes : cursor.compact())
}

export class RfbMeter {
  readonly counts: Counts = { updates: 0, bytes: 0 }
  private readonly socket: Socket
  private pending: Buffer[] = []
  private pendingBytes = 0
  private needed = 0
  private reading = false
  private stage: 'version' | 'security' | 'result' | 'init' | 'normal' = 'version'
  private readonly size = { width: 0, height: 0 }
  private readonly encodings: readonly number[]
  private waiting: (() => void)[] = []

  /** `quality` 0 to 9 lets the server use JPEG; null: without loss. */
  constructor(socket: Socket, quality: number | null) {
    this.socket = socket
    this.encodings = [
      ...[TIGHT, COPY_RECT, RAW, CURSOR, DESKTOP_SIZE, LAST_RECT, -256 + 2],
      ...(quality === null ? [] : [-32 + quality]),
    ]
    socket.on('data', (chunk: Buffer) => {
      this.counts.bytes += chunk.length
      this.pending.push(chunk)
      this.pendingBytes += chunk.length
      this.read()
      for (const wake of this.waiting.splice(0)) wake()
    })
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  private read(): void {
    // An answer may come while it is asked for: it waits its turn.
    if (this.reading) return
    this.reading = true
    while (this.pendingBytes >= this.needed) {
      let bytes = Buffer.concat(this.pending.splice(0), this.pendingBytes)
      const before = this.pendingBytes
      for (;;) {
        const cursor = new Cursor(bytes)
        try {
          this.step(cursor, bytes)
        } catch (error) {
          if (!(error instanceof More)) throw error
          this.needed = error.needed
          break
        }
        bytes = bytes.subarray(cursor.at)
      }
      this.pending.unshift(bytes)
      this.pendingBytes += bytes.length - before
    }
    this.reading = false
  }

  private step(cursor: Cursor, bytes: Buffer): void {
    switch (this.stage) {
      case 'version':
        cursor.take(12)
        this.socket.write('RFB 003.008\n')
        this.stage = 'security'
        return
      case 'security':
        cursor.take(cursor.u8())
        this.socket.write(Buffer.of(1))
        this.stage = 'result'
        return
      case 'result':
        if (cursor.i32() !== 0) throw new Error('the server refused')
        this.socket.write(Buffer.of(1))
        this.stage = 'init'
        return
      case 'init': {
        const at = cursor.take(24)
        cursor.take(bytes.readUInt32BE(at + 20))
        this.size.width = bytes.readUInt16BE(at)
        this.size.height = bytes.readUInt16BE(at + 2)
        this.stage = 'normal'
        this.begin()
        return
      }
      case 'normal':
        this.message(cursor, bytes)
    }
  }

  private begin(): void {
    this.socket.write(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]))
    const encodings = Buffer.alloc(4 + 4 * this.encodings.length)
    encodings[0] = 2
    encodings.writeUInt16BE(this.encodings.length, 2)
    for (const [i, encoding] of this.encodings.entries()) encodings.writeInt32BE(encoding, 4 + 4 * i)
    this.socket.write(encodings)
    this.request(false)
  }

  private request(incremental: boolean): void {
    const request = Buffer.from([3, incremental ? 1 : 0, 0, 0, 0, 0, 0, 0, 0, 0])
    request.writeUInt16BE(this.size.width, 6)
    request.writeUInt16BE(this.size.height, 8)
    this.socket.write(request)
  }

  private message(cursor: Cursor, bytes: Buffer): void {
    const type = cursor.u8()
    if (type === 2) return
    if (type === 3) {
      cursor.take(3)
      cursor.take(Math.abs(cursor.i32()))
      return
    }
    if (type !== 0) throw new Error(`message ${type}`)
    cursor.u8()
    const rects = cursor.u16()
    for (let i = 0; i < rects; i++) {
      const at = cursor.take(8)
      const width = bytes.readUInt16BE(at + 4)
      const height = bytes.readUInt16BE(at + 6)
      const encoding = cursor.i32()
      if (encoding === LAST_RECT) break
      if (encoding === TIGHT) skipTight(cursor, width, height)
      else if (encoding === COPY_RECT) cursor.take(4)
      else if (encoding === RAW) cursor.take(width * height * 4)
      else if (encoding === CURSOR) cursor.take(width * height * 4 + Math.ceil(width / 8) * height)
      else if (encoding === DESKTOP_SIZE) Object.assign(this.size, { width, height })
      else throw new Error(`encoding ${encoding}`)
    }
    this.counts.updates++
    this.request(true)
  }
}
