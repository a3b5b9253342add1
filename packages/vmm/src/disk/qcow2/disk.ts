import type { EventLoop, Registration } from '../../io/event-loop.ts'
import { SystemError } from '../../sys/libc.ts'
import { IovecList } from '../../virtio/chain.ts'
import type { DiskBackend, DiskListener } from '../backend.ts'
import { DiskRing, FSYNC_DATASYNC, URING_OP } from '../uring-ring.ts'
import type { Qcow2Image } from './image.ts'

const EIO = 5

/**
 * A qcow2 image behind a virtual disk. Reads and writes are done when the call that starts them returns: they move
 * bytes between guest memory and the page cache. What waits for the disk itself, a flush, waits in an io_uring, so
 * that the thread's other devices go on; requests that come meanwhile wait for it, because the order in which
 * metadata reaches the disk is what keeps the image whole. Where io_uring is not to be had a flush holds the thread.
 */
export class Qcow2Disk implements DiskBackend {
  readonly sizeBytes: number
  readonly readOnly: boolean
  /** Metadata is written in pages of this size, and nearly every file system below works in it. */
  readonly physicalBlockBytes = 4096
  readonly canDiscard: boolean
  readonly canZero: boolean
  private readonly image: Qcow2Image
  private readonly report: (message: string) => void
  private readonly ring: DiskRing | undefined
  private listener: DiskListener | undefined
  private registration: Registration | undefined
  /** The flush under way, and whose it is. */
  private steps: Generator<void, void, void> | undefined
  private flushTag = 0
  private readonly waiting: (() => void)[] = []
  private draining = false
  private reported = false
  private open = true

  /**
   * Takes over `image`, which lives in `fd`. `report` is told of the first damage or failure found while running; the
   * guest sees I/O errors.
   */
  constructor(image: Qcow2Image, fd: number, report: (message: string) => void) {
    this.image = image
    this.sizeBytes = image.size
    this.readOnly = image.readOnly
    this.canDiscard = !image.readOnly
    this.canZero = !image.readOnly
    this.report = report
    if (!image.readOnly) this.ring = ringOf(fd)
  }

  start(loop: EventLoop, listener: DiskListener): void {
    this.listener = listener
    if (this.ring === undefined) return
    this.registration ??= loop.onReadable(this.ring.fd, () => {
      this.reap()
      this.listener?.batchEnded()
    })
  }

  read(tag: number, iov: IovecList, count: number, offset: number): void {
    this.transfer(tag, iov, count, (list) => this.image.readv(offset, list, count, list.total(count)))
  }

  write(tag: number, iov: IovecList, count: number, offset: number): void {
    this.transfer(tag, iov, count, (list) => this.image.writev(offset, list, count, list.total(count)))
  }

  flush(tag: number): void {
    if (this.steps !== undefined) {
      this.waiting.push(() => this.flush(tag))
      return
    }
    if (this.ring === undefined) {
      this.now(tag, () => this.image.flush())
      return
    }
    this.flushTag = tag
    this.steps = this.image.flushSteps()
    this.advance()
  }

  discard(tag: number, offset: number, length: number): void {
    this.inTurn(tag, () => this.image.discard(offset, length))
  }

  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void {
    this.inTurn(tag, () => this.image.writeZeroes(offset, length, mayUnmap))
  }

  submit(): void {}

  finish(): void {
    while (this.steps !== undefined) {
      this.ring?.wait()
      this.reap()
    }
  }

  drain(): void {
    // Not begun, so there is nothing to wait for; whoever asked for them has forgotten them.
    this.waiting.length = 0
    this.draining = true
    try {
      this.finish()
    } finally {
      this.draining = false
    }
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.drain()
    this.registration?.remove()
    this.ring?.close()
    try {
      this.image.close()
    } catch (error) {
      // What the guest flushed is safe; the next open repairs the rest.
      this.errnoOf(error)
    }
  }

  private transfer(tag: number, iov: IovecList, count: number, work: (list: IovecList) => void): void {
    if (this.steps === undefined) {
      this.now(tag, () => work(iov))
      return
    }
    // The list is the caller's again when this returns.
    const copy = new IovecList(count)
    copy.copy(iov, count)
    this.waiting.push(() => this.now(tag, () => work(copy)))
  }

  private inTurn(tag: number, work: () => void): void {
    if (this.steps === undefined) this.now(tag, work)
    else this.waiting.push(() => this.now(tag, work))
  }

  private now(tag: number, work: () => void): void {
    let errno = 0
    try {
      work()
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.listener?.completed(tag, errno)
  }

  /** Runs the flush to where it has to wait for the disk, or to its end. */
  private advance(): void {
    let errno = 0
    try {
      while (this.steps?.next().done === false) {
        if (!this.image.syncNeeded()) continue
        this.ring!.push(URING_OP.FSYNC, 0, 0, 0, FSYNC_DATASYNC, 0)
        this.ring!.submit()
        return
      }
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.ended(errno)
  }

  private reap(): void {
    const { ring } = this
    while (ring !== undefined && ring.take() >= 0) {
      const { result } = ring
      try {
        this.image.synced(result < 0 ? -result : 0)
      } catch (error) {
        this.ended(this.errnoOf(error))
        continue
      }
      this.advance()
    }
  }

  private ended(errno: number): void {
    if (this.steps === undefined) return
    this.steps = undefined
    if (!this.draining) this.listener?.completed(this.flushTag, errno)
    // A flush among them holds the rest back again.
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      next()
      if (this.steps !== undefined) return
    }
  }

  private errnoOf(error: unknown): number {
    if (!this.reported) {
      this.reported = true
      this.report(error instanceof Error ? error.message : String(error))
    }
    // Node's own errors carry the number negated.
    const errno = error instanceof Error && 'errno' in error ? error.errno : undefined
    return typeof errno === 'number' && errno !== 0 ? Math.abs(errno) : EIO
  }
}

function ringOf(fd: number): DiskRing | undefined {
  try {
    return new DiskRing(fd, 2)
  } catch (error) {
    if (error instanceof SystemError) return undefined
    throw error
  }
}
