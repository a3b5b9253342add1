/**
 * The host's end of a VM's sockets, as Firecracker and Cloud Hypervisor have it: a program connects to the unix socket
 * and writes "CONNECT port\n" to reach the guest; the guest reaches port n of the host where somebody listens at the
 * socket's path with "_n" behind it. Because a jailed monitor can connect to nothing, a program may instead connect
 * here, write "LISTEN port\n", and wait: it is then the other end of the guest's next connection to that port.
 */
import type { EventLoop, Registration } from '../../io/event-loop.ts'
import * as libc from '../../sys/libc.ts'
import { unixAddress } from '../../sys/unix-socket.ts'
import { hasHungUp, isTemporary } from './socket-state.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const EPERM = 1
/** "CONNECT 4294967295\n" and a little more. */
const MAX_LINE = 24
const LINE = /^(CONNECT|LISTEN) (\d{1,10})$/
/** Programs that wait for the guest, or have said nothing yet. */
const MAX_GUESTS = 256

export interface HostSideOptions {
  /** Somebody else's, and stays open. */
  readonly listenFd: number
  readonly path: string
  /** One line, once, when the jail forbids what the guest asks for. */
  readonly log: (text: string) => void
}

interface Visitor {
  readonly fd: number
  line: string
  watch: Registration | undefined
}

export class HostSide {
  private readonly options: HostSideOptions
  private loop: EventLoop | undefined
  private accepting: Registration | undefined
  /** They have not said yet what they want. */
  private readonly visitors = new Set<Visitor>()
  private readonly listeners = new Map<number, Visitor[]>()
  private connected: (port: number, fd: number) => void = () => {}
  private told = false

  constructor(options: HostSideOptions) {
    this.options = options
  }

  /** `connected` gets the descriptor of everybody who asks for a port of the guest; it is theirs then. */
  start(loop: EventLoop, connected: (port: number, fd: number) => void): void {
    this.loop = loop
    this.connected = connected
    this.accepting = loop.onReadable(this.options.listenFd, () => this.accept())
  }

  /** The other end for a guest that wants the host's `port`: a descriptor, or undefined when nobody is there. */
  reach(port: number): { readonly fd: number; readonly wasWaiting: boolean } | undefined {
    for (let next = this.takeListener(port); next; next = this.takeListener(port)) {
      if (!hasHungUp(next.fd)) return { fd: next.fd, wasWaiting: true }
      libc.close(next.fd)
    }
    const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    if (fd < 0) {
      if (libc.errno() === EPERM && !this.told) {
        this.told = true
        this.options.log(
          `the guest asks for port ${port} of the host; a jailed monitor can connect to nothing: let a program connect to ${this.options.path} and write "LISTEN ${port}"`,
        )
      }
      return undefined
    }
    const address = unixAddress(`${this.options.path}_${port}`)
    if (libc.connect(fd, address, address.length) === 0) return { fd, wasWaiting: false }
    libc.close(fd)
    return undefined
  }

  stop(): void {
    this.accepting?.remove()
    this.accepting = undefined
    for (const visitor of this.visitors) this.dismiss(visitor)
    for (const visitor of [...this.listeners.values()].flat()) this.dismiss(visitor)
    this.listeners.clear()
  }

  private takeListener(port: number): Visitor | undefined {
    const waiting = this.listeners.get(port)
    const next = waiting?.shift()
    if (waiting?.length === 0) this.listeners.delete(port)
    next?.watch?.remove()
    return next
  }

  private accept(): void {
    const fd = libc.accept4(this.options.listenFd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd < 0) return
    const waiting = [...this.listeners.values()].reduce((sum, { length }) => sum + length, 0)
    if (this.visitors.size + waiting >= MAX_GUESTS) {
      libc.close(fd)
      return
    }
    const visitor: Visitor = { fd, line: '', watch: undefined }
    this.visitors.add(visitor)
    visitor.watch = this.loop?.onReadable(fd, () => this.listen(visitor))
  }

  /** Byte by byte, because what comes behind the line is the guest's already. */
  private listen(visitor: Visitor): void {
    const byte = new Uint8Array(1)
    while (visitor.line.length < MAX_LINE) {
      const count = libc.read(visitor.fd, byte, 1)
      if (count < 0 && isTemporary()) return
      if (count <= 0) break
      if (byte[0] !== 0x0a) {
        visitor.line += String.fromCharCode(byte[0]!)
        continue
      }
      const [, wish, digits] = LINE.exec(visitor.line) ?? []
      const port = Number(digits)
      if (wish === undefined || port > 0xffff_ffff) break
      visitor.watch?.remove()
      visitor.watch = undefined
      this.visitors.delete(visitor)
      if (wish === 'CONNECT') this.connected(port, visitor.fd)
      else this.park(port, visitor)
      return
    }
    this.dismiss(visitor)
  }

  private park(port: number, visitor: Visitor): void {
    const waiting = this.listeners.get(port) ?? []
    waiting.push(visitor)
    this.listeners.set(port, waiting)
    visitor.watch = this.loop?.onReadable(visitor.fd, () => {
      visitor.watch?.remove()
      visitor.watch = undefined
      // It speaks already, which the guest will read; or it left.
      if (!hasHungUp(visitor.fd)) return
      const rest = (this.listeners.get(port) ?? []).filter((other) => other !== visitor)
      if (rest.length === 0) this.listeners.delete(port)
      else this.listeners.set(port, rest)
      this.dismiss(visitor)
    })
  }

  private dismiss(visitor: Visitor): void {
    visitor.watch?.remove()
    this.visitors.delete(visitor)
    libc.close(visitor.fd)
  }
}
