import { SystemError } from '../../sys/libc.ts'
import type { IovecList } from '../../virtio/chain.ts'
import type { ImageFile } from './image-file.ts'

/**
 * A file that knows whether anything was written since its last sync, so that a barrier where nothing happened
 * costs nothing. After a failed sync it takes no more writes: the kernel has dropped an unknown part of what was
 * written and would answer the next sync with success.
 */
export class BarrierFile implements ImageFile {
  readonly readOnly: boolean
  readonly descriptor: number | undefined
  private readonly file: ImageFile
  /** At first because of whoever had the file open before: what a killed process wrote is there to read, but may not be durable. */
  private unsynced: boolean
  private failure: unknown

  /** Takes over `file`. */
  constructor(file: ImageFile) {
    this.file = file
    this.readOnly = file.readOnly
    this.descriptor = file.descriptor
    this.unsynced = !file.readOnly
  }

  size(): number {
    return this.file.size()
  }

  read(offset: number, target: Uint8Array): void {
    this.file.read(offset, target)
  }

  readv(offset: number, iov: IovecList, count: number, bytes: number): void {
    this.file.readv(offset, iov, count, bytes)
  }

  write(offset: number, source: Uint8Array): void {
    this.beginWrite()
    this.file.write(offset, source)
  }

  writev(offset: number, iov: IovecList, count: number, bytes: number): void {
    this.beginWrite()
    this.file.writev(offset, iov, count, bytes)
  }

  /** Whether a sync has anything to do. Throws what an earlier one failed with. */
  syncNeeded(): boolean {
    if (this.failure !== undefined) throw this.failure
    return this.unsynced
  }

  /** Somebody else synced the file, with this result; nothing was written meanwhile. */
  synced(errno: number): void {
    if (errno === 0) this.unsynced = false
    else this.failure = new SystemError('fdatasync', errno)
    if (this.failure !== undefined) throw this.failure
  }

  sync(): void {
    if (!this.syncNeeded()) return
    try {
      this.file.sync()
    } catch (error) {
      this.failure = error
      throw error
    }
    this.unsynced = false
  }

  punch(offset: number, length: number): void {
    // Losing a hole loses nothing but space, so it makes no sync necessary.
    this.file.punch(offset, length)
  }

  close(): void {
    this.file.close()
  }

  private beginWrite(): void {
    if (this.failure !== undefined) throw this.failure
    this.unsynced = true
  }
}
