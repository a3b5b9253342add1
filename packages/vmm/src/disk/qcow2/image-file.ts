import fs from 'node:fs'
import * as libc from '../../sys/libc.ts'
import type { IovecList } from '../../virtio/chain.ts'
import { FALLOC } from '../raw-file.ts'
import { zeroAt } from './host-memory.ts'

/**
 * All an image needs of the file it lives in. So small that a test can stand a recording file in its place,
 * which knows at every moment what a crash could leave behind.
 *
 * Everything is synchronous and complete or throws (SystemError). What lies past the end reads as zeroes;
 * writing there makes the file longer. Nothing is durable before `sync`, and until then writes may reach the
 * disk in any order.
 */
export interface ImageFile {
  readonly readOnly: boolean
  /** For whoever reads data without waiting for it; absent in a file that is none of the kernel's. */
  readonly descriptor?: number | undefined
  size(): number
  /** Fills `target`. */
  read(offset: number, target: Uint8Array): void
  write(offset: number, source: Uint8Array): void
  /** `count` entries of `iov` from the first on, which are `bytes` together; the list is spent afterwards. */
  readv(offset: number, iov: IovecList, count: number, bytes: number): void
  writev(offset: number, iov: IovecList, count: number, bytes: number): void
  /** fdatasync: everything written so far is durable, the file's length included. */
  sync(): void
  /** The range reads as zeroes and takes no space, where the file system can do that; otherwise nothing happens. */
  punch(offset: number, length: number): void
  close(): void
}

const ERRNO = { EINTR: 4, EIO: 5 } as const
/** The kernel takes at most so many iovecs a call (IOV_MAX). */
const IOV_MAX = 1024

export class PosixFile implements ImageFile {
  readonly readOnly: boolean
  readonly descriptor: number
  private readonly fd: number
  private open = true
  private readonly borrowed: boolean

  /** Takes over `fd`, a regular file, unless it is `borrowed`: then it stays open after `close`, and keeps its lock. */
  constructor(fd: number, readOnly: boolean, borrowed = false) {
    this.fd = fd
    this.descriptor = fd
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

  readv(offset: number, iov: IovecList, count: number, bytes: number): void {
    const entry = this.transfer(libc.preadv, 'preadv', offset, iov, count, bytes)
    // The end of the file: a cluster at it may be stored in part.
    for (let i = entry; i < count; i++) zeroAt(iov.address(i), iov.length(i))
  }

  writev(offset: number, iov: IovecList, count: number, bytes: number): void {
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
    libc.fallocate(this.fd, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE, offset, length)
  }

  close(): void {
    if (!this.open) return
    this.open = false
    if (!this.borrowed) libc.close(this.fd)
  }
}
