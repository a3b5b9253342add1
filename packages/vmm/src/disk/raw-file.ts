import fs from 'node:fs'
import * as libc from '../sys/libc.ts'

/** <linux/falloc.h> */
export const FALLOC = { KEEP_SIZE: 1, PUNCH_HOLE: 2, ZERO_RANGE: 16 } as const
const SECTOR = 512

/** A disk file that cannot be used, in a sentence for the person who named it. */
export class DiskError extends Error {
  /** Somebody else has it open, which may be over in a moment. */
  readonly inUse: boolean

  constructor(message: string, inUse = false) {
    super(message)
    this.name = 'DiskError'
    this.inUse = inUse
  }
}

/**
 * A raw image or block device: an fd, its size, and what its file system can do.
 * The lock keeps a second machine from writing the same disk, which would destroy the file system on it.
 */
export class RawFile {
  readonly fd: number
  /** The same file opened with O_DIRECT, which stays its owner's. */
  readonly directFd: number | undefined
  readonly readOnly: boolean
  /** Whole sectors only; a ragged end is not reachable. */
  readonly sizeBytes: number
  readonly physicalBlockBytes: number
  readonly canDiscard: boolean
  private open = true
  /** Whether the descriptor lives on when this is closed. */
  readonly borrowed: boolean

  /**
   * Takes over `fd` unless it is `borrowed` (it then stays open after `close` and keeps its lock). Throws
   * DiskError when it is no disk.
   */
  constructor(
    fd: number,
    options: {
      readonly readOnly: boolean
      readonly name?: string
      readonly borrowed?: boolean
      readonly directFd?: number | undefined
    },
  ) {
    const name = options.name ?? `fd ${fd}`
    this.fd = fd
    this.directFd = options.directFd
    this.borrowed = options.borrowed ?? false
    this.readOnly = options.readOnly
    try {
      const stat = fs.fstatSync(fd)
      if (!stat.isFile() && !stat.isBlockDevice())
        throw new DiskError(`${name} is neither a file nor a block device`)
      const size = libc.check('lseek', libc.lseek(fd, 0, 2))
      this.sizeBytes = size - (size % SECTOR)
      if (this.sizeBytes === 0)
        throw new DiskError(`${name} is empty; a disk has at least one sector of 512 bytes`)
      this.physicalBlockBytes = Math.min(4096, Math.max(SECTOR, stat.blksize & -stat.blksize))
      const lock = (options.readOnly ? libc.LOCK.SH : libc.LOCK.EX) | libc.LOCK.NB
      if (libc.flock(fd, lock) < 0) {
        throw new DiskError(`${name} is in use by another machine; stop that one first`, true)
      }
      // Past the end of a file there is nothing to lose, and the answer is the file system's.
      const probe = FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE
      this.canDiscard =
        !options.readOnly && (stat.isBlockDevice() || libc.fallocate(fd, probe, size, SECTOR) === 0)
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    if (!this.open) return
    this.open = false
    if (this.borrowed) return
    // Said aloud: an io_uring gives its own reference back some time after it is closed.
    libc.flock(this.fd, libc.LOCK.UN)
    libc.close(this.fd)
  }
}

/** Opens and locks the file at `path`. Throws DiskError with a sentence for people. */
export function openRawFile(path: string, options: { readonly readOnly: boolean }): RawFile {
  const flags = (options.readOnly ? libc.O.RDONLY : libc.O.RDWR) | libc.O.CLOEXEC
  const fd = libc.open(path, flags, 0)
  if (fd < 0) {
    const reason = new libc.SystemError('open', libc.errno()).message
    throw new DiskError(`cannot open the disk ${path}: ${reason}`)
  }
  return new RawFile(fd, { readOnly: options.readOnly, name: path })
}
