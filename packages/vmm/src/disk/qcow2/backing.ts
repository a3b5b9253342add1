import type { IovecList } from '../../virtio/chain.ts'
import { zeroAt } from '../host-memory.ts'
import type { ImageFile } from './image-file.ts'
import type { Job, Steps } from './jobs.ts'

/** What an overlay reads where it holds nothing itself. */
export interface Backing {
  /** Bytes; past them the overlay reads zeroes. */
  readonly size: number
  /**
   * Reads the first `count` entries of `iov`, which are `bytes` together and lie within `size`. The list belongs to the
   * steps until they end.
   */
  read(job: Job, offset: number, iov: IovecList, count: number, bytes: number): Steps
  close(): void
}

/** A raw file under an overlay. */
export class RawBacking implements Backing {
  readonly size: number
  private readonly file: ImageFile

  /** Takes over `file`. */
  constructor(file: ImageFile) {
    this.file = file
    this.size = file.size()
  }

  *read(job: Job, offset: number, iov: IovecList, count: number, bytes: number): Steps {
    this.file.beginRead(job, offset, iov, count, bytes)
    yield
  }

  close(): void {
    this.file.close()
  }
}

export function zeroIovecs(iov: IovecList, count: number): void {
  for (let i = 0; i < count; i++) zeroAt(iov.address(i), iov.length(i))
}
