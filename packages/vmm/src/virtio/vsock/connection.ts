/** One stream between a program of the guest and one of the host: the host's socket, and both sides' credit (5.10.6.3). */
import type { EventLoop, Registration } from '../../io/event-loop.ts'
import * as libc from '../../sys/libc.ts'
import type { DescriptorChain, IovecList } from '../chain.ts'
import { SHUTDOWN } from './protocol.ts'
import { hasHungUp, isTemporary } from './socket-state.ts'

/** What a guest may send before the host's program has taken any of it. */
export const BUFFER_BYTES = 256 * 1024
/** The guest is told of room at the latest when so much of it is there that it does not know of. */
const TELL_BYTES = BUFFER_BYTES / 4
/** writev(2) takes no more at once. */
const MAX_IOVECS = 1024
const SHUT_WR = 1

export type Moved = number | 'later' | 'end' | 'broken'

export class VsockConnection {
  readonly hostPort: number
  readonly guestPort: number
  /** Asked for by the host, and not yet answered by the guest. */
  requested: boolean
  /** -1 once the host's program is gone. */
  private fd: number
  /** Bits of SHUTDOWN that each side said. */
  guestShutdown = 0
  hostShutdown = 0
  /** All of these count bytes and wrap at 2^32. */
  private sent = 0
  private forwarded = 0
  private told = 0
  private guestBuffer = 0
  private guestForwarded = 0
  private readonly waiting: Uint8Array[] = []
  private waitingBytes = 0
  private reading: Registration | undefined
  private writing: Registration | undefined

  constructor(hostPort: number, guestPort: number, fd: number, requested: boolean) {
    this.hostPort = hostPort
    this.guestPort = guestPort
    this.fd = fd
    this.requested = requested
  }

  /** What goes into every header of ours: from then on the guest knows. */
  creditToTell(): { bufferSize: number; forwarded: number } {
    this.told = this.forwarded
    return { bufferSize: BUFFER_BYTES, forwarded: this.forwarded }
  }

  takeCredit(bufferSize: number, forwarded: number): void {
    this.guestBuffer = bufferSize
    this.guestForwarded = forwarded
  }

  /** Bytes the guest has room for. A guest that claims to have taken more than was sent gets nothing. */
  get credit(): number {
    const inFlight = (this.sent - this.guestForwarded) >>> 0
    return Math.max(0, this.guestBuffer - inFlight)
  }

  get mayRead(): boolean {
    const over = (this.guestShutdown & SHUTDOWN.RCV) | (this.hostShutdown & SHUTDOWN.SEND)
    return this.fd >= 0 && !this.requested && over === 0
  }

  /** From the host's socket into the chain's writable part from `offset` on, at most `room` bytes. */
  receive(chain: DescriptorChain, offset: number, room: number, iov: IovecList): Moved {
    const count = chain.iovec(true, offset, room, iov, 0)
    const bytes = libc.readv(this.fd, iov.words, Math.min(count, MAX_IOVECS))
    if (bytes > 0) {
      this.sent = (this.sent + bytes) >>> 0
      return bytes
    }
    if (bytes === 0) return 'end'
    return isTemporary() ? 'later' : 'broken'
  }

  /**
   * The chain's readable part from `offset` on goes to the host's program, now or when it has room. False: it was more
   * than the guest was allowed, or nobody is there.
   */
  transmit(chain: DescriptorChain, offset: number, length: number, iov: IovecList): boolean {
    if (this.fd < 0 || this.waitingBytes + length > BUFFER_BYTES) return false
    let done = 0
    if (this.waitingBytes === 0 && length > 0) {
      const count = chain.iovec(false, offset, length, iov, 0)
      done = libc.writev(this.fd, iov.words, Math.min(count, MAX_IOVECS))
      if (done < 0) {
        if (!isTemporary()) return false
        done = 0
      }
      this.forwarded = (this.forwarded + done) >>> 0
    }
    if (done < length) {
      const rest = new Uint8Array(length - done)
      chain.read(offset + done, rest)
      this.waiting.push(rest)
      this.waitingBytes += rest.length
    }
    return true
  }

  /** Sends what waits. False: nobody takes it any more. */
  flush(): boolean {
    for (let bytes = this.waiting[0]; bytes !== undefined; bytes = this.waiting[0]) {
      const done = libc.write(this.fd, bytes, bytes.length)
      if (done < 0) return isTemporary()
      this.forwarded = (this.forwarded + done) >>> 0
      this.waitingBytes -= done
      if (done < bytes.length) {
        this.waiting[0] = bytes.subarray(done)
        return true
      }
      this.waiting.shift()
    }
    return true
  }

  get hasWaiting(): boolean {
    return this.waitingBytes > 0
  }

  /** The guest knows of less room than there is, by enough to tell it. */
  get roomToTell(): boolean {
    return (this.forwarded - this.told) >>> 0 >= TELL_BYTES
  }

  /** A short line of ours, before any byte of the guest's: there is room for it. */
  say(text: string): void {
    const bytes = new TextEncoder().encode(text)
    libc.write(this.fd, bytes, bytes.length)
  }

  /** The guest sends no more. */
  endWriting(): void {
    if (this.fd >= 0) libc.shutdown(this.fd, SHUT_WR)
  }

  /** Whether the host's program has gone altogether, and not only said that it sends no more. */
  get hungUp(): boolean {
    return this.fd < 0 || hasHungUp(this.fd)
  }

  watchReadable(loop: EventLoop | undefined, ready: (() => void) | undefined): void {
    if (ready && loop && this.fd >= 0) this.reading ??= loop.onReadable(this.fd, ready)
    else {
      this.reading?.remove()
      this.reading = undefined
    }
  }

  watchWritable(loop: EventLoop | undefined, ready: (() => void) | undefined): void {
    if (ready && loop && this.fd >= 0) this.writing ??= loop.onWritable(this.fd, ready)
    else {
      this.writing?.remove()
      this.writing = undefined
    }
  }

  close(): void {
    if (this.fd < 0) return
    this.watchReadable(undefined, undefined)
    this.watchWritable(undefined, undefined)
    libc.close(this.fd)
    this.fd = -1
    this.waiting.length = 0
    this.waitingBytes = 0
  }
}
