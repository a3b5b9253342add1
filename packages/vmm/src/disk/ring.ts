/** What a ring is asked to do to its file; numbers of <linux/io_uring.h>. */
export const RING_OP = { READV: 1, WRITEV: 2, FSYNC: 3, FALLOCATE: 17 } as const
export const FSYNC_DATASYNC = 1
/** What goes to a descriptor with O_DIRECT: offset, length and memory are multiples of it. */
export const DIRECT_ALIGNMENT = 512

/** The descriptors of one file. They stay their owner's. */
export interface RingFiles {
  readonly fd: number
  /** Opened with O_DIRECT. */
  readonly directFd?: number | undefined
}

/**
 * Operations on one file that somebody else works on while this thread goes on: the kernel (`DiskRing`), or a thread of
 * ours where the kernel has no io_uring (`ThreadRing`).
 */
export interface Ring {
  /** Readable while completions wait. */
  readonly fd: number
  /** So many may be in flight. */
  readonly entries: number
  /**
   * Notes one operation, to be started by `submit`, on the file's descriptor or on the one with O_DIRECT. `address` and
   * `length` mean what they mean to the operation.
   */
  push(
    operation: number,
    direct: boolean,
    offset: number,
    address: number,
    length: number,
    flags: number,
    tag: number,
  ): void
  submit(): void
  /** Waits until at least one completion is there. */
  wait(): void
  /** Takes one completion: its tag, or -1 when there is none; `result` then is 0 or more, or a negative errno. */
  take(): number
  /** Of the completion taken last. */
  readonly result: number
  /** Nothing may be in flight. */
  close(): void
}
