import type { EventLoop } from '../../io/event-loop.ts'
import type { IovecList } from '../../virtio/chain.ts'
import type { DiskBackend, DiskListener } from '../backend.ts'
import type { Qcow2Image } from './image.ts'

const EIO = 5

/** A qcow2 image behind a virtual disk. The image is synchronous: a request is done when the call that starts it returns. */
export class Qcow2Disk implements DiskBackend {
  readonly sizeBytes: number
  readonly readOnly: boolean
  /** Metadata is written in pages of this size, and nearly every file system below works in it. */
  readonly physicalBlockBytes = 4096
  readonly canDiscard: boolean
  readonly canZero: boolean
  private readonly image: Qcow2Image
  private readonly report: (message: string) => void
  private listener: DiskListener | undefined
  private reported = false
  private open = true

  /** Takes over `image`. `report` is told of the first damage or failure found while running; the guest sees I/O errors. */
  constructor(image: Qcow2Image, report: (message: string) => void) {
    this.image = image
    this.sizeBytes = image.size
    this.readOnly = image.readOnly
    this.canDiscard = !image.readOnly
    this.canZero = !image.readOnly
    this.report = report
  }

  start(_loop: EventLoop, listener: DiskListener): void {
    this.listener = listener
  }

  read(tag: number, iov: IovecList, count: number, offset: number): void {
    let errno = 0
    try {
      this.image.readv(offset, iov, count, iov.total(count))
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.listener?.completed(tag, errno)
  }

  write(tag: number, iov: IovecList, count: number, offset: number): void {
    let errno = 0
    try {
      this.image.writev(offset, iov, count, iov.total(count))
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.listener?.completed(tag, errno)
  }

  flush(tag: number): void {
    let errno = 0
    try {
      this.image.flush()
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.listener?.completed(tag, errno)
  }

  discard(tag: number, offset: number, length: number): void {
    let errno = 0
    try {
      this.image.discard(offset, length)
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.listener?.completed(tag, errno)
  }

  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void {
    let errno = 0
    try {
      this.image.writeZeroes(offset, length, mayUnmap)
    } catch (error) {
      errno = this.errnoOf(error)
    }
    this.listener?.completed(tag, errno)
  }

  submit(): void {}

  finish(): void {}

  drain(): void {}

  close(): void {
    if (!this.open) return
    this.open = false
    try {
      this.image.close()
    } catch (error) {
      // What the guest flushed is safe; the next open repairs the rest.
      this.errnoOf(error)
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
