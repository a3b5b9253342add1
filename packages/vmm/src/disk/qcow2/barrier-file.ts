import type { IovecList } from '../../virtio/chain.ts'
import type { ImageFile } from './image-file.ts'
import type { Job, Steps } from './jobs.ts'

/**
 * A file that knows whether anything was written since its last sync, so that a barrier where nothing happened
 * costs nothing. After a failed sync it takes no more writes: the kernel has dropped an unknown part of what was
 * written and would answer the next sync with success.
 */
export class BarrierFile {
  readonly readOnly: boolean
  private readonly file: ImageFile
  /** Writes that have begun, and how many of them are known to be durable. */
  private begun: number
  private durable = 0
  private failure: unknown

  /** Takes over `file`. */
  constructor(file: ImageFile) {
    this.file = file
    this.readOnly = file.readOnly
    // Because of whoever had the file open before: what a killed process wrote is there to read, but may not be durable.
    this.begun = file.readOnly ? 0 : 1
  }

  size(): number {
    return this.file.size()
  }

  read(offset: number, target: Uint8Array): void {
    this.file.read(offset, target)
  }

  beginRead(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    this.file.beginRead(job, offset, iov, count, bytes)
  }

  beginWrite(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    if (this.failure !== undefined) {
      // Not thrown here, where others of the job's writes may be under way.
      job.fail(this.failure)
      return
    }
    this.begun++
    this.file.beginWrite(job, offset, iov, count, bytes)
  }

  beginPunch(job: Job, offset: number, length: number): void {
    // Losing a hole loses nothing but space, so it makes no sync necessary.
    this.file.beginPunch(job, offset, length)
  }

  /** Every write that has ended is durable afterwards. Throws also what an earlier sync failed with. */
  *sync(job: Job): Steps {
    if (this.failure !== undefined) throw this.failure
    if (this.durable === this.begun) return
    // What else the job waits for has to fail here, not as if it were the sync.
    yield
    // Of those in flight nobody knows which come before the sync.
    const covered = this.file.writesInFlight > 0 ? this.durable : this.begun
    try {
      this.file.beginSync(job)
      yield
    } catch (error) {
      this.failure = error
      throw error
    }
    this.durable = Math.max(this.durable, covered)
  }

  close(): void {
    this.file.close()
  }
}
