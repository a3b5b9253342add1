import type { EventLoop, Registration } from '../../io/event-loop.ts'
import * as libc from '../../sys/libc.ts'
import { type DescriptorChain, IovecList } from '../chain.ts'
import type { PortEnd, PortListener } from './port-end.ts'

const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const ERRNO = { EINTR: 4, EAGAIN: 11 } as const
/** What is taken from the socket at once, however large the guest's buffer. */
const MAX_BYTES = 64 * 1024
/** IOV_MAX of Linux. */
const MAX_ENTRIES = 1024
const waste = new Uint8Array(MAX_BYTES)

/**
 * The host's end of a port: a listening unix socket that one program at a time may use; the next one waits until that
 * has hung up. `listenFd` is somebody else's and stays open.
 */
export class PortSocket implements PortEnd {
  private readonly listenFd: number
  private loop: EventLoop | undefined
  private listener: PortListener | undefined
  private waiting: Registration | undefined
  private reading: Registration | undefined
  private writing: Registration | undefined
  private readonly iov = new IovecList(16)
  private fd = -1

  constructor(listenFd: number) {
    this.listenFd = listenFd
  }

  get connected(): boolean {
    return this.fd >= 0
  }

  start(loop: EventLoop, listener: PortListener): void {
    this.loop = loop
    this.listener = listener
    this.waiting ??= loop.onReadable(this.listenFd, () => this.accept())
  }

  receive(chain: DescriptorChain): number {
    if (this.fd < 0) return 0
    const count = chain.iovec(true, 0, Math.min(MAX_BYTES, chain.writableBytes), this.iov, 0)
    return count === 0 ? 0 : this.received(libc.readv(this.fd, this.iov.words, count))
  }

  discard(): void {
    if (this.fd >= 0) this.received(libc.read(this.fd, waste, waste.length))
  }

  send(chain: DescriptorChain, offset: number): number {
    if (this.fd < 0) return 0
    const count = chain.iovec(false, offset, chain.readableBytes - offset, this.iov, 0)
    const bytes = libc.writev(this.fd, this.iov.words, Math.min(count, MAX_ENTRIES))
    if (bytes >= 0) return bytes
    if (!isTemporary()) this.hangUp()
    return 0
  }

  /** A program of the host learns of the guest's by what it says. */
  guestOpened(): void {}

  watchReadable(on: boolean): void {
    if (on && this.fd >= 0) this.reading ??= this.loop?.onReadable(this.fd, () => this.listener?.readable())
    else {
      this.reading?.remove()
      this.reading = undefined
    }
  }

  watchWritable(on: boolean): void {
    if (on && this.fd >= 0) this.writing ??= this.loop?.onWritable(this.fd, () => this.listener?.writable())
    else {
      this.writing?.remove()
      this.writing = undefined
    }
  }

  stop(): void {
    this.listener = undefined
    this.hangUp()
    this.waiting?.remove()
    this.waiting = undefined
  }

  private accept(): void {
    const fd = libc.accept4(this.listenFd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC)
    // Whoever it was has given up already.
    if (fd < 0) return
    this.waiting?.remove()
    this.waiting = undefined
    this.fd = fd
    this.listener?.connected(true)
  }

  private received(bytes: number): number {
    if (bytes > 0) return bytes
    if (bytes === 0 || !isTemporary()) this.hangUp()
    return 0
  }

  private hangUp(): void {
    if (this.fd < 0) return
    this.watchReadable(false)
    this.watchWritable(false)
    libc.close(this.fd)
    this.fd = -1
    if (this.listener === undefined) return
    this.waiting ??= this.loop?.onReadable(this.listenFd, () => this.accept())
    this.listener.connected(false)
  }
}

const isTemporary = (): boolean => {
  const code = libc.errno()
  return code === ERRNO.EAGAIN || code === ERRNO.EINTR
}
