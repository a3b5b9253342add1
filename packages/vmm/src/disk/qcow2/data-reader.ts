import type { EventLoop, Registration } from '../../io/event-loop.ts'
import { SystemError } from '../../sys/libc.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import { type DiskRing, FSYNC_DATASYNC, parkRing, takeRing, URING_OP } from '../uring-ring.ts'
import { type ReadSink, zeroIovecs } from './backing.ts'
import type { ImageFile } from './image-file.ts'

/** Parts of reads in flight at once; more are read at once by a call that waits. */
const MAX_PARTS = 127
/** UIO_MAXIOV of the kernel. */
const MAX_IOVECS = 1024
const IOVEC_BYTES = 16
/** The tag of a sync; those below are parts. */
const SYNC = MAX_PARTS
const ERRNO = { EINTR: 4, EIO: 5, EAGAIN: 11 } as const

/** A read of the guest, which ends when all its parts have. */
export interface Read {
  readonly tag: number
  /** Parts under way, and one for the search for them. */
  pending: number
  errno: number
}

interface Part {
  readonly tag: number
  readonly iov: IovecList
  readonly iovAddress: number
  ring: DiskRing | undefined
  read: Read | undefined
  offset: number
  rest: number
  entry: number
  count: number
}

export interface ReaderEvents {
  /** All of it is done, or failed with its `errno`. */
  readDone(read: Read): void
  /** The sync asked for is over. */
  synced(errno: number): void
}

/**
 * The rings of an image and of those it is based on: reads of data and syncs that the thread need not wait for. Where the
 * kernel has no io_uring there are none, and reading waits.
 */
export class DataReader implements ReadSink {
  private readonly rings = new Map<number, DiskRing>()
  private readonly events: ReaderEvents
  private readonly keep: boolean
  private readonly parts: Part[] = []
  private readonly free: Part[] = []
  private readonly memory: NativeBuffer
  private readonly registrations: Registration[] = []
  private current: Read | undefined
  /** Reads that are not at their end. */
  inFlight = 0

  /** `fds` stay the caller's. With `keep` their rings are kept for the next machine of this thread (`parkRing`). */
  constructor(fds: readonly number[], keep: boolean, events: ReaderEvents) {
    this.events = events
    this.keep = keep
    // Pages never touched cost nothing.
    this.memory = new NativeBuffer(MAX_PARTS * MAX_IOVECS * IOVEC_BYTES)
    for (const fd of fds) {
      try {
        this.rings.set(fd, takeRing(fd, MAX_PARTS + 1))
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
      }
    }
  }

  /** `turned` is called after completions came. */
  start(loop: EventLoop, turned: () => void): void {
    if (this.registrations.length > 0) return
    for (const ring of this.rings.values()) {
      const ready = (): void => {
        this.reap()
        this.submit()
        turned()
      }
      this.registrations.push(loop.onReadable(ring.fd, ready))
    }
  }

  /** Whether a sync of the file need not hold the thread. */
  canSync(fd: number): boolean {
    return this.rings.has(fd)
  }

  sync(fd: number): void {
    const ring = this.rings.get(fd)!
    ring.push(URING_OP.FSYNC, 0, 0, 0, FSYNC_DATASYNC, SYNC)
    ring.submit()
  }

  /** Begins a read: `locate` is to tell this sink of its parts. What it throws is the read's error. */
  begin(tag: number, locate: (sink: ReadSink) => void, errnoOf: (error: unknown) => number): void {
    const read: Read = { tag, pending: 1, errno: 0 }
    this.inFlight++
    this.current = read
    try {
      locate(this)
    } catch (error) {
      read.errno = errnoOf(error)
    }
    this.current = undefined
    this.ended(read)
  }

  data(file: ImageFile, offset: number, iov: IovecList, count: number, bytes: number): void {
    const ring = file.descriptor === undefined ? undefined : this.rings.get(file.descriptor)
    const part = ring === undefined || count > MAX_IOVECS ? undefined : this.take()
    if (ring === undefined || part === undefined) {
      file.readv(offset, iov, count, bytes)
      return
    }
    part.iov.copy(iov, count)
    part.ring = ring
    part.read = this.current!
    part.offset = offset
    part.rest = bytes
    part.entry = 0
    part.count = count
    part.read.pending++
    this.push(part)
  }

  /** What was begun starts now; what the page cache has is done when this returns. */
  submit(): void {
    for (const ring of this.rings.values()) ring.submit()
    this.reap()
    // A part that came in short goes on.
    for (const ring of this.rings.values()) ring.submit()
  }

  reap(): void {
    for (const ring of this.rings.values()) {
      for (let tag = ring.take(); tag >= 0; tag = ring.take()) {
        if (tag === SYNC) this.events.synced(ring.result < 0 ? -ring.result : 0)
        else this.advance(this.parts[tag]!, ring.result)
      }
    }
  }

  /** Waits for something to happen to a read that is under way, or to the sync of `fd`. */
  wait(fd: number | undefined): void {
    const ring =
      fd === undefined ? this.parts.find((part) => part.read !== undefined)?.ring : this.rings.get(fd)
    ring?.wait()
  }

  /** Nothing may be under way. */
  close(): void {
    for (const registration of this.registrations.splice(0)) registration.remove()
    for (const [fd, ring] of this.rings) {
      if (this.keep) parkRing(fd, ring)
      else ring.close()
    }
    this.rings.clear()
    this.memory.free()
  }

  private advance(part: Part, result: number): void {
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) {
      this.push(part)
      return
    }
    const read = part.read!
    if (result < 0) read.errno ||= -result
    else if (result > 0 && result < part.rest) {
      part.rest -= result
      part.offset += result
      part.entry = part.iov.advance(part.entry, part.count - part.entry, result)
      this.push(part)
      return
    } else if (result === 0) {
      // The end of the file: a cluster at it may be stored in part.
      const rest = new IovecList(part.count - part.entry, part.iov.words.subarray(part.entry * 4))
      zeroIovecs(rest, part.count - part.entry)
    }
    part.read = undefined
    part.ring = undefined
    this.free.push(part)
    this.ended(read)
  }

  private ended(read: Read): void {
    if (--read.pending > 0) return
    this.inFlight--
    this.events.readDone(read)
  }

  private push(part: Part): void {
    const address = part.iovAddress + part.entry * IOVEC_BYTES
    part.ring!.push(URING_OP.READV, part.offset, address, part.count - part.entry, 0, part.tag)
  }

  private take(): Part | undefined {
    const used = this.free.pop()
    if (used !== undefined || this.parts.length === MAX_PARTS) return used
    const tag = this.parts.length
    const at = tag * MAX_IOVECS * IOVEC_BYTES
    const words = new Uint32Array(this.memory.bytes.buffer, at, MAX_IOVECS * 4)
    const part: Part = {
      ...{ tag, iov: new IovecList(MAX_IOVECS, words), iovAddress: this.memory.address + at },
      ...{ ring: undefined, read: undefined, offset: 0, rest: 0, entry: 0, count: 0 },
    }
    this.parts.push(part)
    return part
  }
}
