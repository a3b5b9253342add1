import type { EventLoop } from '../io/event-loop.ts'
import type { IovecList } from '../virtio/chain.ts'

/** Where a disk tells the device what became of its requests. */
export interface DiskListener {
  /** Request `tag` is done: 0, or the errno it failed with. May be called before the starting call returns. */
  completed(tag: number, errno: number): void
  /** Several requests may just have completed outside a call of the device's: time for one interrupt. */
  batchEnded(): void
}

/**
 * The bytes behind a virtual disk. Every request has a tag of the device's choice, unique among those in
 * flight, and ends in exactly one `completed`. A backend knows files and formats and no virtio; it turns every
 * trouble (a disk that vanished, a short count) into an errno.
 *
 * Offsets and lengths are bytes; the device has checked them against `sizeBytes`. Reads and writes go straight
 * between the disk and the memory that the iovecs name, which belongs to the guest; the iovec list itself is
 * the caller's again when the call returns.
 */
export interface DiskBackend {
  readonly sizeBytes: number
  readonly readOnly: boolean
  /** What the disk transfers without a read-modify-write, a power of two of at least 512. */
  readonly physicalBlockBytes: number
  readonly canDiscard: boolean
  readonly canZero: boolean
  /** Called once before the first request. */
  start(loop: EventLoop, listener: DiskListener): void
  read(tag: number, iov: IovecList, count: number, offset: number): void
  write(tag: number, iov: IovecList, count: number, offset: number): void
  /** Makes every write that completed before this call durable. */
  flush(tag: number): void
  /** The contents of the range no longer matter. */
  discard(tag: number, offset: number, length: number): void
  /** The range reads as zeroes; its space may be given up only with `mayUnmap`. */
  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void
  /** Requests since the last call may start now, if they have not. */
  submit(): void
  /** Waits for everything in flight and tells the listener: for a snapshot, which may hold the thread. */
  finish(): void
  /** Waits for everything in flight without telling the listener; no guest memory is touched afterwards. */
  drain(): void
  close(): void
}
