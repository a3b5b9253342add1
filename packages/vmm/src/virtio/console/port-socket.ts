import type { EventLoop, Registration } from '../../io/event-loop.ts'
import * as libc from '../../sys/libc.ts'
import type { IovecList } from '../chain.ts'

const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const ERRNO = { EINTR: 4, EAGAIN: 11 } as const

export interface PortListener {
  /** A program connected, or the one that was there is gone. */
  connected(on: boolean): void
  readable(): void
  writable(): void
}

/**
 * The host's end of a port: a listening unix socket that one program at a time may use; the next one waits until that
 * has hung up. `listenFd` is somebody else's and stays open.
 */
export class PortSocket {
  private readonly listenFd: number
  private loop: EventLoop | undefined
  private listener: PortListener | undefined
  private waiting: Registration | undefined
  private reading: Registration | undefined
  private writing: Registration | undefined
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

  /** Bytes received into the iovecs, 0 when there are none now or no more ever. */
  receive(iov: IovecList, count: number): number {
    if (this.fd < 0) return 0
    const bytes = libc.readv(this.fd, iov.words, count)
    if (bytes > 0) return bytes
    if (bytes === 0 || !isTemporary()) this.hangUp()
    return 0
  }

  /** Bytes taken, 0 when none can be taken now. */
  send(iov: IovecList, count: number): number {
    if (this.fd < 0) return 0
    const bytes = libc.writev(this.fd, iov.words, count)
    if (bytes >= 0) return bytes
    if (!isTemporary()) this.hangUp()
    return 0
  }

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

  /** Hangs up and listens no more, until the next `start`. */
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
