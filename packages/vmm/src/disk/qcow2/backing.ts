import type { IovecList } from '../../virtio/chain.ts'
import { zeroAt } from './host-memory.ts'
import type { ImageFile } from './image-file.ts'

/** What an overlay reads where it holds nothing itself. */
export interface Backing {
  /** Bytes; past them the overlay reads zeroes. */
  readonly size: number
  /** `count` entries of `iov`, which are `bytes` together and lie within `size`; the list is spent afterwards. */
  readv(offset: number, iov: IovecList, count: number, bytes: number): void
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

  readv(offset: number, iov: IovecList, count: number, bytes: number): void {
    this.file.readv(offset, iov, count, bytes)
  }

  close(): void {
    this.file.close()
  }
}

export function zeroIovecs(iov: IovecList, count: number): void {
  for (let i = 0; i < count; i++) zeroAt(iov.address(i), iov.length(i))
}
