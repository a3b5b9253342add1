import * as libc from '../sys/libc.ts'
import type { EventLoop, Registration } from './event-loop.ts'

/** struct epoll_event is packed on x86-64: u32 events, then u64 data at once (epoll_ctl(2), <linux/eventpoll.h>). */
const EVENT_BYTES = 12
/** How many events one epoll_wait returns at most; the rest comes with the next one, nobody starves. */
const BATCH = 64
const EINTR = 4

type Callback = () => void

/** What is registered for one fd. `serial` tells this registration from an older one of the same fd number. */
interface Watch {
  readonly fd: number
  readonly serial: number
  readable: Callback | undefined
  writable: Callback | undefined
}

interface Timer {
  readonly due: number
  fire: Callback | undefined
}

const idle: Registration = { remove() {} }

/**
 * An event loop over epoll for a worker that does nothing else: `run` blocks the thread (and with it the
 * thread's own Node event loop) until `stop`. Everything is called on the thread that runs it; to reach it from
 * another thread, register an eventfd and write to that.
 *
 * Callbacks may add and remove registrations, also their own and those whose events were fetched in the same
 * batch: an event is delivered only to the registration it was fetched for.
 */
export class EpollLoop implements EventLoop {
  private readonly epollFd: number
  private readonly watches = new Map<number, Watch>()
  /** Sorted by due time, the next one last. Few at a time, so insertion is a short walk. */
  private readonly timers: Timer[] = []
  private readonly events = new DataView(new ArrayBuffer(EVENT_BYTES * BATCH))
  private readonly request = new DataView(new ArrayBuffer(EVENT_BYTES))
  private nextSerial = 1
  private running = false
  private closed = false

  constructor() {
    this.epollFd = libc.check('epoll_create1', libc.epollCreate(0o2000000))
  }

  onReadable(fd: number, ready: Callback): Registration {
    return this.watch(fd, 'readable', ready)
  }

  onWritable(fd: number, ready: Callback): Registration {
    return this.watch(fd, 'writable', ready)
  }

  after(ms: number, fire: Callback): Registration {
    const timer: Timer = { due: performance.now() + Math.max(0, ms), fire }
    let at = this.timers.length
    while (at > 0 && this.timers[at - 1]!.due <= timer.due) at--
    this.timers.splice(at, 0, timer)
    return {
      remove: () => {
        timer.fire = undefined
        const index = this.timers.indexOf(timer)
        if (index >= 0) this.timers.splice(index, 1)
      },
    }
  }

  /** Blocks and dispatches until `stop`. An exception of a callback ends the run and reaches the caller. */
  run(): void {
    this.running = true
    try {
      while (this.running) this.runOnce(-1)
    } finally {
      this.running = false
    }
  }

  /** Waits at most `maxWaitMs` (-1: as long as it takes) for something to happen and dispatches it. */
  runOnce(maxWaitMs: number): void {
    const count = libc.epollWait(this.epollFd, this.events, BATCH, this.timeout(maxWaitMs))
    if (count < 0) {
      const code = libc.errno()
      // A signal meant for somebody else on this thread.
      if (code === EINTR) return
      throw new libc.SystemError('epoll_wait', code)
    }
    // `stop` means now: events that were fetched but not delivered are level-triggered and come again.
    const stoppable = this.running
    for (let i = 0; i < count && (this.running || !stoppable); i++) {
      const base = i * EVENT_BYTES
      this.dispatch(
        this.events.getUint32(base, true),
        this.events.getInt32(base + 4, true),
        this.events.getUint32(base + 8, true),
      )
    }
    this.fireTimers()
  }

  stop(): void {
    this.running = false
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.running = false
    this.watches.clear()
    this.timers.length = 0
    libc.close(this.epollFd)
  }

  private dispatch(events: number, fd: number, serial: number): void {
    let watch = this.watches.get(fd)
    if (watch === undefined || watch.serial !== serial) return
    // An error or hang-up is told to whoever listens: the next read or write names it.
    const broken = (events & (libc.EPOLL.ERR | libc.EPOLL.HUP)) !== 0
    if (watch.readable && (broken || (events & libc.EPOLL.IN) !== 0)) watch.readable()
    watch = this.watches.get(fd)
    if (watch === undefined || watch.serial !== serial) return
    if (watch.writable && (broken || (events & libc.EPOLL.OUT) !== 0)) watch.writable()
  }

  private fireTimers(): void {
    if (this.timers.length === 0) return
    const now = performance.now()
    // A timer set by a timer waits for the next round, so that a chain of zero delays cannot hold the loop.
    const due: Timer[] = []
    while (this.timers.length > 0 && this.timers[this.timers.length - 1]!.due <= now) {
      due.push(this.timers.pop()!)
    }
    for (const timer of due) timer.fire?.()
  }

  private timeout(maxWaitMs: number): number {
    const next = this.timers[this.timers.length - 1]
    if (next === undefined) return maxWaitMs
    const untilNext = Math.min(0x7fff_ffff, Math.max(0, Math.ceil(next.due - performance.now())))
    return maxWaitMs < 0 ? untilNext : Math.min(maxWaitMs, untilNext)
  }

  private watch(fd: number, side: 'readable' | 'writable', ready: Callback): Registration {
    if (this.closed) return idle
    let watch = this.watches.get(fd)
    if (watch?.[side] !== undefined) throw new RangeError(`fd ${fd} is already watched as ${side}`)
    const isNew = watch === undefined
    watch ??= { fd, serial: this.nextSerial++, readable: undefined, writable: undefined }
    watch[side] = ready
    try {
      this.control(isNew ? libc.EPOLL.CTL_ADD : libc.EPOLL.CTL_MOD, watch)
    } catch (error) {
      watch[side] = undefined
      throw error
    }
    this.watches.set(fd, watch)
    const registered = watch
    return {
      remove: () => {
        if (registered[side] !== ready) return
        registered[side] = undefined
        if (this.watches.get(fd) !== registered) return
        const empty = registered.readable === undefined && registered.writable === undefined
        if (empty) this.watches.delete(fd)
        this.control(empty ? libc.EPOLL.CTL_DEL : libc.EPOLL.CTL_MOD, registered)
      },
    }
  }

  private control(operation: number, watch: Watch): void {
    const interest = (watch.readable ? libc.EPOLL.IN : 0) | (watch.writable ? libc.EPOLL.OUT : 0)
    this.request.setUint32(0, interest, true)
    this.request.setInt32(4, watch.fd, true)
    this.request.setUint32(8, watch.serial, true)
    libc.check('epoll_ctl', libc.epollCtl(this.epollFd, operation, watch.fd, this.request))
  }
}
