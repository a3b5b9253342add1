import type { IovecList } from '../../virtio/chain.ts'
import { zeroAt } from './host-memory.ts'
import type { ImageFile } from './image-file.ts'

/** Is told where the parts of a read lie. What reads as zeroes is zeroed already. */
export interface ReadSink {
  /** `count` entries of `iov`, which are `bytes` together, are at `offset` of `file`; the list is spent afterwards. */
  data(file: ImageFile, offset: number, iov: IovecList, count: number, bytes: number): void
}

/** Reads each part at once. */
export const readNow: ReadSink = {
  data: (file, offset, iov, count, bytes) => file.readv(offset, iov, count, bytes),
}

/** What an overlay reads where it holds nothing itself. */
export interface Backing {
  /** Bytes; past them the overlay reads zeroes. */
  readonly size: number
  /** `count` entries of `iov`, which are `bytes` together and lie within `size`; the list is spent afterwards. */
  locate(offset: number, iov: IovecList, count: number, bytes: number, sink: ReadSink): void
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

  locate(offset: number, iov: IovecList, count: number, bytes: number, sink: ReadSink): void {
    sink.data(this.file, offset, iov, count, bytes)
  }

  close(): void {
    this.file.close()
  }
}

export function zeroIovecs(iov: IovecList, count: number): void {
  for (let i = 0; i < count; i++) zeroAt(iov.address(i), iov.length(i))
}
