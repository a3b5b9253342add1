import type { EventLoop } from '../io/event-loop.ts'
import type { IovecList } from '../virtio/chain.ts'
import type { DiskBackend, DiskListener } from './backend.ts'
import type { RawFile } from './raw-file.ts'

/**
 * A raw disk served by blocking calls: a request is done when the call that starts it returns. It is the
 * backend where io_uring is not to be had; while the file system waits for its device, so does everything
 * else on this thread.
 */
export class RawDisk implements DiskBackend {
  readonly sizeBytes: number
  readonly readOnly: boolean
  readonly physicalBlockBytes: number
  readonly canDiscard: boolean
  readonly canZero: boolean
  private readonly file: RawFile
  private listener: DiskListener | undefined

  /** Takes over `file`. */
  constructor(file: RawFile) {
    this.file = file
    this.sizeBytes = file.sizeBytes
    this.readOnly = file.readOnly
    this.physicalBlockBytes = file.physicalBlockBytes
    this.canDiscard = file.canDiscard
    this.canZero = file.canDiscard
  }

  start(_loop: EventLoop, listener: DiskListener): void {
    this.listener = listener
  }

  read(tag: number, iov: IovecList, count: number, offset: number): void {
    this.listener?.completed(tag, this.file.transfer(false, iov, count, offset))
  }

  write(tag: number, iov: IovecList, count: number, offset: number): void {
    this.listener?.completed(tag, this.file.transfer(true, iov, count, offset))
  }

  flush(tag: number): void {
    this.listener?.completed(tag, this.file.flush())
  }

  discard(tag: number, offset: number, length: number): void {
    this.listener?.completed(tag, this.file.discard(offset, length))
  }

  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void {
    this.listener?.completed(tag, this.file.zero(offset, length, mayUnmap))
  }

  submit(): void {}

  finish(): void {}

  drain(): void {}

  close(): void {
    this.file.close()
  }
}
