import type { EventLoop } from '../io/event-loop.ts'
import * as libc from '../sys/libc.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { IovecList } from '../virtio/chain.ts'
import { MAX_PACKET_BYTES, NET_HEADER_BYTES, type NetBackend, type NetListener } from './backend.ts'
import { FdWatch } from './fd-watch.ts'

/** Each frame is preceded by its length, u32 big-endian (the protocol of QEMU's stream sockets). */
const LENGTH_BYTES = 4
const MAX_FRAME = MAX_PACKET_BYTES - NET_HEADER_BYTES
/** Several packets a read; must hold the largest frame with its length. */
const RECEIVE_BYTES = 256 * 1024
/** How long `stop` waits for the rest of a frame that has begun. */
const FINISH_MS = 1000
const ERRNO = { EINTR: 4, EAGAIN: 11, EMSGSIZE: 90, ENOTCONN: 107 } as const
const POLL = { IN: 1, OUT: 4 } as const

/**
 * passt at the other end of a unix stream socket: user-mode networking without any privilege. It does no
 * offloads, so the virtio header is dropped going out and zero coming in.
 *
 * A stream may stop anywhere: a frame that has begun going out is kept here until its rest went, so that the
 * driver has its buffer back and a reset cannot tear the framing.
 */
export class PasstBackend implements NetBackend {
  readonly features = 0n
  private readonly fd: number
  private readonly borrowed: boolean
  private readonly watch: FdWatch
  private open = true
  private connected = true

  private readonly received = new NativeBuffer(RECEIVE_BYTES)
  private receivedFrom = 0
  private receivedTo = 0
  /** The rest of a frame on its way out. */
  private readonly carry = new NativeBuffer(LENGTH_BYTES + MAX_FRAME)
  private carryFrom = 0
  private carryTo = 0
  private readonly out = new IovecList(64)
  /** The length of the frame being sent, then the header of every packet received, which is zero. */
  private readonly scratch = new NativeBuffer(LENGTH_BYTES + NET_HEADER_BYTES)

  /** `fd` is a connected, non-blocking unix stream socket; taken over unless `borrowed`. */
  constructor(fd: number, options: { readonly borrowed?: boolean } = {}) {
    this.fd = fd
    this.borrowed = options.borrowed ?? false
    this.watch = new FdWatch(fd)
  }

  start(loop: EventLoop, listener: NetListener): void {
    this.watch.start(loop, listener)
    if (!this.connected) this.watch.linkDown('passt is gone')
  }

  setOffloads(): void {}

  receive(iov: IovecList, count: number): number {
    if (!this.connected) return -ERRNO.ENOTCONN
    let frame = this.nextFrame()
    if (frame === 0) {
      if (!this.fill()) return 0
      frame = this.nextFrame()
      if (frame === 0) return 0
    }
    if (frame < 0) return -ERRNO.EMSGSIZE
    scatter(iov, count, 0, this.scratch.address + LENGTH_BYTES, NET_HEADER_BYTES)
    const from = this.received.address + this.receivedFrom + LENGTH_BYTES
    scatter(iov, count, NET_HEADER_BYTES, from, frame)
    this.receivedFrom += LENGTH_BYTES + frame
    return NET_HEADER_BYTES + frame
  }

  send(iov: IovecList, count: number): number {
    if (!this.connected) return -ERRNO.ENOTCONN
    if (!this.sendCarry()) return 0
    const bytes = iov.total(count)
    const frame = bytes - NET_HEADER_BYTES
    if (frame <= 0 || frame > MAX_FRAME) return -ERRNO.EMSGSIZE
    writeLength(this.scratch.bytes, frame)
    const entries = this.describe(iov, count)
    const sent = libc.writev(this.fd, this.out.words, entries)
    if (sent < 0) return this.failed()
    if (sent < LENGTH_BYTES + frame) this.keepRest(entries, sent)
    return bytes
  }

  watchReadable(on: boolean): void {
    this.watch.readable(on)
  }

  watchWritable(on: boolean): void {
    this.watch.writable(on)
  }

  stop(): void {
    this.watch.stop()
    this.finishFrames()
  }

  close(): void {
    if (!this.open) return
    this.stop()
    this.open = false
    for (const buffer of [this.received, this.carry, this.scratch]) buffer.free()
    if (!this.borrowed) libc.close(this.fd)
  }

  /** Length of the complete frame at the head of the buffer, 0 while there is none, -1 when the stream is broken. */
  private nextFrame(): number {
    const have = this.receivedTo - this.receivedFrom
    if (have < LENGTH_BYTES) return 0
    const bytes = this.received.bytes
    const at = this.receivedFrom
    const frame = bytes[at]! * 0x100_0000 + bytes[at + 1]! * 0x1_0000 + bytes[at + 2]! * 256 + bytes[at + 3]!
    if (frame === 0 || frame > MAX_FRAME) {
      this.disconnected(`passt sent a frame of ${frame} bytes`)
      return -1
    }
    return have >= LENGTH_BYTES + frame ? frame : 0
  }

  /** Reads what there is behind the bytes that are left. False: nothing now, or never again. */
  private fill(): boolean {
    if (this.receivedFrom > 0) {
      this.received.bytes.copyWithin(0, this.receivedFrom, this.receivedTo)
      this.receivedTo -= this.receivedFrom
      this.receivedFrom = 0
    }
    const room = RECEIVE_BYTES - this.receivedTo
    const bytes = libc.readAt(this.fd, this.received.address + this.receivedTo, room)
    if (bytes > 0) {
      this.receivedTo += bytes
      return true
    }
    if (bytes === 0) this.disconnected('passt closed the connection')
    else this.failed()
    return false
  }

  /** Length, then the packet without its header, as iovecs; returns how many. */
  private describe(iov: IovecList, count: number): number {
    this.out.set(0, this.scratch.address, LENGTH_BYTES)
    let entries = 1
    let skip = NET_HEADER_BYTES
    for (let i = 0; i < count; i++) {
      const length = iov.length(i)
      if (skip >= length) {
        skip -= length
        continue
      }
      this.out.set(entries++, iov.address(i) + skip, length - skip)
      skip = 0
    }
    return entries
  }

  private keepRest(entries: number, sent: number): void {
    this.carryFrom = 0
    this.carryTo = 0
    for (let i = this.out.advance(0, entries, sent); i < entries; i++) {
      const length = this.out.length(i)
      libc.memcpy(this.carry.address + this.carryTo, this.out.address(i), length)
      this.carryTo += length
    }
  }

  /** Whether nothing is left over from the frame before. */
  private sendCarry(): boolean {
    while (this.carryFrom < this.carryTo) {
      const sent = libc.writeAt(this.fd, this.carry.address + this.carryFrom, this.carryTo - this.carryFrom)
      if (sent < 0) {
        this.failed()
        return false
      }
      this.carryFrom += sent
    }
    return true
  }

  /**
   * Leaves the stream between two frames, so that another backend over the same socket understands it. The rest
   * of a frame that has begun is already on its way; passt that does not send it is broken.
   */
  private finishFrames(): void {
    const deadline = performance.now() + FINISH_MS
    const wait = (events: number): boolean => {
      const left = Math.ceil(deadline - performance.now())
      if (!this.connected || left <= 0) return false
      pollOne(this.fd, events, left)
      return true
    }
    while (!this.sendCarry()) {
      if (!wait(POLL.OUT)) {
        this.disconnected('passt stopped in the middle of a frame')
        return
      }
    }
    for (;;) {
      for (let frame = this.nextFrame(); frame > 0; frame = this.nextFrame()) {
        this.receivedFrom += LENGTH_BYTES + frame
      }
      if (!this.connected || this.receivedFrom === this.receivedTo) return
      if (!this.fill() && !wait(POLL.IN)) {
        this.disconnected('passt stopped in the middle of a frame')
        return
      }
    }
  }

  private failed(): number {
    const code = libc.errno()
    if (code === ERRNO.EAGAIN || code === ERRNO.EINTR) return 0
    this.disconnected(new libc.SystemError('passt', code).message)
    return -code
  }

  private disconnected(reason: string): void {
    if (!this.connected) return
    this.connected = false
    this.watch.linkDown(reason)
  }
}

/** Copies `bytes` from `source` to where the iovecs lead, beginning at their byte `offset`. */
function scatter(iov: IovecList, count: number, offset: number, source: number, bytes: number): void {
  let skip = offset
  let done = 0
  for (let i = 0; i < count && done < bytes; i++) {
    const length = iov.length(i)
    if (skip >= length) {
      skip -= length
      continue
    }
    const piece = Math.min(length - skip, bytes - done)
    libc.memcpy(iov.address(i) + skip, source + done, piece)
    done += piece
    skip = 0
  }
}

function writeLength(bytes: Uint8Array, value: number): void {
  bytes[0] = value >>> 24
  bytes[1] = value >>> 16
  bytes[2] = value >>> 8
  bytes[3] = value
}

/** Waits until `fd` is ready for `events` or `ms` passed: struct pollfd {int fd; short events; short revents}. */
function pollOne(fd: number, events: number, ms: number): void {
  const entry = new DataView(new ArrayBuffer(8))
  entry.setInt32(0, fd, true)
  entry.setInt16(4, events, true)
  libc.poll(entry, 1, ms)
}
