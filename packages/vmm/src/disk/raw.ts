import type { EventLoop } from '../io/event-loop.ts'
import type { IovecList } from '../virtio/chain.ts'
import type { DiskBackend, DiskListener } from './backend.ts'
import { type Completion, FileQueue } from './file-queue.ts'
import { FALLOC, type RawFile } from './raw-file.ts'
import type { Ring } from './ring.ts'

const HOLE = FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE
const ZEROES = FALLOC.ZERO_RANGE | FALLOC.KEEP_SIZE
/** NFS knows it without KEEP_SIZE alone; a disk's requests end within the file. */
const SPACE = 0
const EOPNOTSUPP = 95

/** What is in flight under one tag. */
class Request implements Completion {
  private readonly disk: RawDisk
  private readonly tag: number

  constructor(disk: RawDisk, tag: number) {
    this.disk = disk
    this.tag = tag
  }

  done(errno: number): void {
    this.disk.completed(this.tag, errno)
  }
}

/** A raw image or block device: the file's bytes are the disk's. */
export class RawDisk implements DiskBackend {
  readonly sizeBytes: number
  readonly readOnly: boolean
  readonly physicalBlockBytes: number
  readonly canDiscard: boolean
  readonly canZero: boolean
  private readonly file: RawFile
  private readonly queue: FileQueue
  private readonly requests: Request[] = []
  private listener: DiskListener | undefined
  private draining = false
  private open = true

  /** Takes over `file`. */
  constructor(file: RawFile, ring?: Ring) {
    this.file = file
    this.queue = new FileQueue(file, { keepRing: file.borrowed, pastEnd: 'error' }, ring)
    this.sizeBytes = file.sizeBytes
    this.readOnly = file.readOnly
    this.physicalBlockBytes = file.physicalBlockBytes
    this.canDiscard = file.canDiscard
    this.canZero = file.canDiscard
  }

  start(loop: EventLoop, listener: DiskListener): void {
    this.listener = listener
    this.queue.start(loop, () => this.listener?.batchEnded())
  }

  read(tag: number, iov: IovecList, count: number, offset: number): void {
    this.queue.transfer(false, offset, iov, count, iov.total(count), this.request(tag))
  }

  write(tag: number, iov: IovecList, count: number, offset: number): void {
    this.queue.transfer(true, offset, iov, count, iov.total(count), this.request(tag))
  }

  flush(tag: number): void {
    this.queue.sync(this.request(tag))
  }

  discard(tag: number, offset: number, length: number): void {
    this.queue.allocate(HOLE, offset, length, this.request(tag))
  }

  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void {
    // A hole reads as zeroes and is the cheapest. Without leave the space stays taken (VIRTIO 1.2, 5.2.6.2: a device may
    // deallocate when `unmap` is set).
    if (mayUnmap) this.discard(tag, offset, length)
    else {
      const request = this.request(tag)
      this.queue.allocate(ZEROES, offset, length, {
        done: (errno) => {
          if (errno === EOPNOTSUPP) this.zeroByHole(request, offset, length)
          else request.done(errno)
        },
      })
    }
  }

  submit(): void {
    this.queue.submit()
  }

  finish(): void {
    while (this.queue.inFlight > 0) this.queue.wait()
  }

  drain(): void {
    this.draining = true
    try {
      this.finish()
    } finally {
      this.draining = false
    }
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.drain()
    this.queue.close()
    this.file.close()
  }

  completed(tag: number, errno: number): void {
    if (!this.draining) this.listener?.completed(tag, errno)
  }

  /**
   * For a file system that does not know ZERO_RANGE (tmpfs, NFS): makes the hole, then takes the space again, if it can do
   * that: zeroes are what the guest is promised.
   */
  private zeroByHole(request: Request, offset: number, length: number): void {
    this.queue.allocate(HOLE, offset, length, {
      done: (errno) => {
        if (errno !== 0) request.done(errno)
        else {
          this.queue.allocate(SPACE, offset, length, {
            done: (taken) => request.done(taken === EOPNOTSUPP ? 0 : taken),
          })
        }
      },
    })
  }

  private request(tag: number): Request {
    let request = this.requests[tag]
    if (request === undefined) {
      request = new Request(this, tag)
      this.requests[tag] = request
    }
    return request
  }
}
