import fs from 'node:fs'
import * as libc from '../../sys/libc.ts'
import type { IovecList } from '../../virtio/chain.ts'
import { FileQueue } from '../file-queue.ts'
import { zeroAt } from '../host-memory.ts'
import { FALLOC } from '../raw-file.ts'
import type { Job } from './jobs.ts'

/**
 * All an image needs of the file it lives in. So small that a test can stand a recording file in its place,
 * which knows at every moment what a crash could leave behind.
 *
 * What lies past the end reads as zeroes; writing there makes the file longer. Nothing is durable before a sync, and
 * until then writes may reach the disk in any order. A sync is for the writes that had ended when it began.
 */
export interface ImageFile {
  readonly readOnly: boolean
  size(): number
  /** These wait for the file: for opening, checking and closing. They throw SystemError. */
  read(offset: number, target: Uint8Array): void
  write(offset: number, source: Uint8Array): void
  sync(): void
  /** The range reads as zeroes and takes no space, where the file system can do that; otherwise nothing happens. */
  punch(offset: number, length: number): void
  close(): void
  /**
   * These only begin, where the file can do that: the job goes on when they have ended. `count` entries of `iov` are
   * `bytes` together; the list is spent afterwards, the memory it names is the file's until the end.
   */
  beginRead(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void
  beginWrite(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void
  beginSync(job: Job): void
  beginPunch(job: Job, offset: number, length: number): void
  /** Writes that have begun and not ended. */
  readonly writesInFlight: number
}

/** A file of which everything is done when it has begun. */
export abstract class WaitingFile implements ImageFile {
  abstract readonly readOnly: boolean
  abstract size(): number
  abstract read(offset: number, target: Uint8Array): void
  abstract write(offset: number, source: Uint8Array): void
  abstract sync(): void
  abstract punch(offset: number, length: number): void
  abstract close(): void
  abstract beginRead(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void
  abstract beginWrite(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void

  get writesInFlight(): number {
    return 0
  }

  beginSync(_job: Job): void {
    this.sync()
  }

  beginPunch(_job: Job, offset: number, length: number): void {
    this.punch(offset, length)
  }
}

const ERRNO = { EINTR: 4, EIO: 5 } as const
/** The kernel takes at most so many iovecs a call (IOV_MAX). */
const IOV_MAX = 1024

export class PosixFile extends WaitingFile {
  readonly readOnly: boolean
  protected readonly fd: number
  private open = true
  private readonly borrowed: boolean

  /** Takes over `fd`, a regular file, unless it is `borrowed`: then it stays open after `close`, and keeps its lock. */
  constructor(fd: number, readOnly: boolean, borrowed = false) {
    super()
    this.fd = fd
    this.readOnly = readOnly
    this.borrowed = borrowed
  }

  size(): number {
    return fs.fstatSync(this.fd).size
  }

  read(offset: number, target: Uint8Array): void {
    let done = 0
    while (done < target.length) {
      const count = fs.readSync(this.fd, target, done, target.length - done, offset + done)
      if (count === 0) {
        target.fill(0, done)
        return
      }
      done += count
    }
  }

  write(offset: number, source: Uint8Array): void {
    let done = 0
    while (done < source.length) {
      done += fs.writeSync(this.fd, source, done, source.length - done, offset + done)
    }
  }

  beginRead(_job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    const entry = this.transfer(libc.preadv, 'preadv', offset, iov, count, bytes)
    // The end of the file: a cluster at it may be stored in part.
    for (let i = entry; i < count; i++) zeroAt(iov.address(i), iov.length(i))
  }

  beginWrite(_job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    if (this.transfer(libc.pwritev, 'pwritev', offset, iov, count, bytes) < count) {
      throw new libc.SystemError('pwritev', ERRNO.EIO)
    }
  }

  /** Returns the first entry that was not served: `count`, or less at the end of the file. */
  private transfer(
    call: typeof libc.preadv,
    name: string,
    offset: number,
    iov: IovecList,
    count: number,
    bytes: number,
  ): number {
    let entry = 0
    let at = offset
    let rest = bytes
    let words = iov.words
    while (rest > 0) {
      const moved = call(this.fd, words, Math.min(count - entry, IOV_MAX), at)
      if (moved < 0) {
        const code = libc.errno()
        if (code === ERRNO.EINTR) continue
        throw new libc.SystemError(name, code)
      }
      if (moved === 0) return entry
      rest -= moved
      if (rest <= 0) break
      at += moved
      entry = iov.advance(entry, count - entry, moved)
      words = iov.words.subarray(entry * 4)
    }
    return count
  }

  sync(): void {
    libc.check('fdatasync', libc.fdatasync(this.fd))
  }

  punch(offset: number, length: number): void {
    // A hint: what cannot be given back stays, and is used again by the next allocation.
    libc.fallocate(this.fd, PUNCH, offset, length)
  }

  close(): void {
    if (!this.open) return
    this.open = false
    if (!this.borrowed) libc.close(this.fd)
  }
}

const PUNCH = FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE

/** A file whose work somebody else does while this thread goes on. */
export class QueuedFile extends PosixFile {
  readonly queue: FileQueue

  /** As PosixFile. With `keepRing` the ring is kept for the next machine on this thread (`parkRing`). */
  constructor(fd: number, readOnly: boolean, borrowed: boolean, keepRing: boolean, directFd?: number) {
    super(fd, readOnly, borrowed)
    this.queue = new FileQueue({ fd, directFd }, { keepRing, pastEnd: 'zeroes' })
  }

  override get writesInFlight(): number {
    return this.queue.writesInFlight
  }

  override beginRead(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    job.expect()
    this.queue.transfer(false, offset, iov, count, bytes, job)
  }

  override beginWrite(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    job.expect()
    this.queue.transfer(true, offset, iov, count, bytes, job)
  }

  override beginSync(job: Job): void {
    job.expect()
    this.queue.sync(job)
  }

  override beginPunch(job: Job, offset: number, length: number): void {
    job.expect()
    // A hint, as above.
    this.queue.allocate(PUNCH, offset, length, { done: () => job.done(0) })
  }

  override close(): void {
    this.queue.close()
    super.close()
  }
}
