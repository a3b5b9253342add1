import type { EventLoop } from '../../io/event-loop.ts'
import { IovecList } from '../../virtio/chain.ts'
import type { DiskBackend, DiskListener } from '../backend.ts'
import { DataReader, type Read } from './data-reader.ts'
import type { Qcow2Image } from './image.ts'

const EIO = 5

/** A request that could not begin when it came. */
interface Waiting {
  /** It may make clusters free, and must not while one of them is read. */
  readonly alone: boolean
  begin(): void
}

/** Where an image and those it is based on live. */
export interface Qcow2DiskFiles {
  readonly fd: number
  readonly baseFds: readonly number[]
  /** Their rings are kept for the next machine on this thread. */
  readonly keepRings: boolean
}

/**
 * A qcow2 image behind a virtual disk. What waits for the disk waits in an io_uring, so that the thread's other devices go
 * on: the data of reads, and syncs. Writes are done when the call that starts them returns: they move bytes from guest
 * memory to the page cache. So is what reads of metadata not cached cost, a page of 4 KiB for 32 MiB of disk.
 *
 * The order in which metadata reaches the disk is what keeps the image whole, so while it is being written requests wait.
 * A cluster that is being read must stay that cluster, so what may free clusters waits for the reads before it. Where
 * io_uring is not to be had everything holds the thread.
 */
export class Qcow2Disk implements DiskBackend {
  readonly sizeBytes: number
  readonly readOnly: boolean
  /** Metadata is written in pages of this size, and nearly every file system below works in it. */
  readonly physicalBlockBytes = 4096
  readonly canDiscard: boolean
  readonly canZero: boolean
  private readonly image: Qcow2Image
  private readonly fd: number
  private readonly report: (message: string) => void
  private readonly reader: DataReader
  private readonly canSync: boolean
  private listener: DiskListener | undefined
  /** The writing of metadata under way, and whose flush it is: nobody's, to make room. */
  private steps: Generator<void, void, void> | undefined
  private flushTag: number | undefined
  private readonly waiting: Waiting[] = []
  private draining = false
  private reported = false
  private open = true

  /**
   * Takes over `image`. `report` is told of the first damage or failure found while running; the guest sees I/O
   * errors.
   */
  constructor(image: Qcow2Image, files: Qcow2DiskFiles, report: (message: string) => void) {
    this.image = image
    this.fd = files.fd
    this.sizeBytes = image.size
    this.readOnly = image.readOnly
    this.canDiscard = !image.readOnly
    this.canZero = !image.readOnly
    this.report = report
    this.reader = new DataReader([files.fd, ...files.baseFds], files.keepRings, {
      readDone: (read) => this.readDone(read),
      synced: (errno) => this.synced(errno),
    })
    this.canSync = this.reader.canSync(files.fd)
  }

  start(loop: EventLoop, listener: DiskListener): void {
    this.listener = listener
    this.reader.start(loop, () => this.listener?.batchEnded())
  }

  read(tag: number, iov: IovecList, count: number, offset: number): void {
    this.transfer(iov, count, (list) =>
      this.reader.begin(
        tag,
        (sink) => this.image.locate(offset, list, count, list.total(count), sink),
        (error) => this.errnoOf(error),
      ),
    )
  }

  write(tag: number, iov: IovecList, count: number, offset: number): void {
    this.transfer(iov, count, (list) => {
      this.now(tag, () => this.image.writev(offset, list, count, list.total(count)))
      this.makeRoom()
    })
  }

  flush(tag: number): void {
    this.inTurn(false, () => {
      if (!this.canSync) this.now(tag, () => this.image.flush())
      else if (this.image.readOnly) this.complete(tag, 0)
      else this.run(this.image.flushSteps(), tag)
    })
  }

  discard(tag: number, offset: number, length: number): void {
    this.inTurn(true, () => {
      this.now(tag, () => this.image.discard(offset, length))
      this.makeRoom()
    })
  }

  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void {
    this.inTurn(true, () => {
      this.now(tag, () => this.image.writeZeroes(offset, length, mayUnmap))
      this.makeRoom()
    })
  }

  submit(): void {
    this.reader.submit()
  }

  finish(): void {
    this.reader.submit()
    while (this.steps !== undefined || this.reader.inFlight > 0) {
      this.reader.wait(this.steps === undefined ? undefined : this.fd)
      this.reader.reap()
      // A completion may have started the next.
      this.reader.submit()
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
    this.reader.close()
    try {
      this.image.close()
    } catch (error) {
      // What the guest flushed is safe; the next open repairs the rest.
      this.errnoOf(error)
    }
  }

  private transfer(iov: IovecList, count: number, begin: (list: IovecList) => void): void {
    if (!this.mustWait(false)) {
      begin(iov)
      return
    }
    // The list is the caller's again when this returns.
    const copy = new IovecList(count)
    copy.copy(iov, count)
    this.waiting.push({ alone: false, begin: () => begin(copy) })
  }

  private inTurn(alone: boolean, begin: () => void): void {
    if (this.mustWait(alone)) this.waiting.push({ alone, begin })
    else begin()
  }

  /** Nobody overtakes what waits: else a stream of reads would hold a discard back for ever. */
  private mustWait(alone: boolean): boolean {
    return this.steps !== undefined || this.waiting.length > 0 || (alone && this.reader.inFlight > 0)
  }

  private now(tag: number, work: () => void): void {
    let errno = 0
    try {
      work()
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.complete(tag, errno)
  }

  private complete(tag: number, errno: number): void {
    if (!this.draining) this.listener?.completed(tag, errno)
  }

  private readDone({ tag, errno }: Read): void {
    this.complete(tag, errno)
    if (this.reader.inFlight === 0) this.beginWaiting()
  }

  /** Before a request has to: then it would wait for the disk with the thread. */
  private makeRoom(): void {
    if (this.canSync && this.steps === undefined && this.image.commitDue) {
      this.run(this.image.makeRoomSteps(), undefined)
    }
  }

  private run(steps: Generator<void, void, void>, flushTag: number | undefined): void {
    this.flushTag = flushTag
    this.steps = steps
    this.advance()
  }

  /** Runs the steps to where they have to wait for the disk, or to their end. */
  private advance(): void {
    let errno = 0
    try {
      while (this.steps?.next().done === false) {
        if (!this.image.syncNeeded()) continue
        this.reader.sync(this.fd)
        return
      }
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.ended(errno)
  }

  private synced(errno: number): void {
    try {
      this.image.synced(errno)
    } catch (error) {
      this.ended(this.errnoOf(error))
      return
    }
    this.advance()
  }

  private ended(errno: number): void {
    if (this.steps === undefined) return
    this.steps = undefined
    if (this.flushTag !== undefined) this.complete(this.flushTag, errno)
    this.beginWaiting()
  }

  /** In the order they came, as far as they may. */
  private beginWaiting(): void {
    const { waiting, reader } = this
    while (waiting.length > 0 && this.steps === undefined) {
      if (waiting[0]!.alone && reader.inFlight > 0) break
      waiting.shift()!.begin()
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
