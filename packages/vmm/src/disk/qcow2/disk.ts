import type { EventLoop } from '../../io/event-loop.ts'
import type { IovecList } from '../../virtio/chain.ts'
import type { DiskBackend, DiskListener } from '../backend.ts'
import type { FileQueue } from '../file-queue.ts'
import { CLUSTER, clustersOf } from './format.ts'
import type { Qcow2Image } from './image.ts'
import { Job, JobQueue, type Steps } from './jobs.ts'
import { RangeLocks } from './range-locks.ts'

const EIO = 5

/** Where the work on one of the image's files waits; a test has one that ends it in an order of its own. */
export type DiskQueue = Pick<FileQueue, 'start' | 'submit' | 'wait' | 'inFlight'>

/**
 * A qcow2 image behind a virtual disk. Every request is a job (`jobs.ts`), of which as many are under way as the guest
 * has asked for: whatever waits for a file, tables and copies from a backing file included, waits in the files' queues
 * while the thread goes on. Requests for the same clusters are kept apart where one of them changes what the clusters are.
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
  private readonly queues: readonly DiskQueue[]
  private readonly jobs = new JobQueue()
  private readonly locks = new RangeLocks()
  private listener: DiskListener | undefined
  private underWay = 0
  private makingRoom = false
  private draining = false
  private reported = false
  private open = true

  /**
   * Takes over `image`, whose files have `queues`. `report` is told of the first damage or failure found while running;
   * the guest sees I/O errors.
   */
  constructor(image: Qcow2Image, queues: readonly DiskQueue[], report: (message: string) => void) {
    this.image = image
    this.queues = queues
    this.sizeBytes = image.size
    this.readOnly = image.readOnly
    this.canDiscard = !image.readOnly
    this.canZero = !image.readOnly
    this.report = report
  }

  start(loop: EventLoop, listener: DiskListener): void {
    this.listener = listener
    const turned = (): void => {
      // A completion of one file may have begun something on another.
      this.submit()
      this.listener?.batchEnded()
    }
    for (const queue of this.queues) queue.start(loop, turned)
  }

  read(tag: number, iov: IovecList, count: number, offset: number): void {
    const list = iov.clone(count)
    const bytes = list.total(count)
    this.request(tag, offset, bytes, true, (job) => this.image.read(job, offset, list, count, bytes))
  }

  write(tag: number, iov: IovecList, count: number, offset: number): void {
    const list = iov.clone(count)
    const bytes = list.total(count)
    // Behind one that changes clusters nobody knows yet what it leaves.
    const shared = !this.locks.contended && this.image.isInPlace(offset, bytes)
    this.request(tag, offset, bytes, shared, (job) => this.image.write(job, offset, list, count, bytes))
  }

  flush(tag: number): void {
    this.run(
      (job) => this.image.flushing(job),
      (errno) => this.completed(tag, errno),
    )
  }

  discard(tag: number, offset: number, length: number): void {
    this.request(tag, offset, length, false, (job) => this.image.discarding(job, offset, length))
  }

  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void {
    this.request(tag, offset, length, false, (job) => this.image.zeroing(job, offset, length, mayUnmap))
  }

  submit(): void {
    // What ends in one queue may begin something in another.
    for (let again = true; again; ) {
      again = false
      for (const queue of this.queues) again = queue.submit() || again
    }
  }

  finish(): void {
    this.submit()
    while (this.underWay > 0) {
      const queue = this.queues.find(({ inFlight }) => inFlight > 0)
      if (queue === undefined) throw new Error('requests wait for nothing')
      queue.wait()
      this.submit()
    }
  }

  drain(): void {
    // Not begun, so there is nothing to wait for; whoever asked for them has forgotten them.
    this.locks.forgetWaiting()
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
    // Should it fail: what the guest flushed is safe, the next open repairs the rest.
    this.run(
      (job) => this.image.closing(job),
      () => {},
    )
    this.finish()
    this.image.abandon()
  }

  private request(
    tag: number,
    offset: number,
    length: number,
    shared: boolean,
    steps: (job: Job) => Steps,
  ): void {
    const range = {
      first: Math.floor(offset / CLUSTER),
      end: clustersOf(offset + length),
      shared,
      begin: () =>
        this.run(steps, (errno) => {
          this.locks.release(range)
          this.completed(tag, errno)
          this.makeRoom()
        }),
    }
    this.locks.take(range)
  }

  private run(steps: (job: Job) => Steps, ended: (errno: number) => void): void {
    this.underWay++
    const job = new Job(this.jobs, steps, (error) => {
      this.underWay--
      ended(error === undefined ? 0 : this.errnoOf(error))
    })
    this.jobs.ready(job)
  }

  /** Before a request has to. */
  private makeRoom(): void {
    if (this.makingRoom || this.draining || !this.image.commitDue) return
    this.makingRoom = true
    this.run(
      (job) => this.image.makeRoom(job),
      () => {
        this.makingRoom = false
      },
    )
  }

  private completed(tag: number, errno: number): void {
    if (!this.draining) this.listener?.completed(tag, errno)
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
