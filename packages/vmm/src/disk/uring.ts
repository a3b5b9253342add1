import type { EventLoop, Registration } from '../io/event-loop.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { IovecList } from '../virtio/chain.ts'
import type { DiskBackend, DiskListener } from './backend.ts'
import { FALLOC, type RawFile } from './raw-file.ts'
import { type DiskRing, FSYNC_DATASYNC, parkRing, takeRing, URING_OP } from './uring-ring.ts'

/** As many as a virtio queue has entries, so the ring is never the limit. */
const MAX_REQUESTS = 256
/** UIO_MAXIOV of the kernel. */
const MAX_IOVECS = 1024
const IOVEC_BYTES = 16
const ERRNO = { EINTR: 4, EIO: 5, EAGAIN: 11, EINVAL: 22, EOPNOTSUPP: 95 } as const

/** What is in flight under one tag. */
interface InFlight {
  operation: number
  /** Bytes of a transfer that are still to come, and where; 0 for other operations. */
  rest: number
  offset: number
  entry: number
  count: number
  /** fallocate: the ways still open when the file system does not know this one. */
  modes: readonly number[]
  length: number
  readonly iov: IovecList
  readonly iovAddress: number
}

/**
 * A raw disk served by io_uring: the kernel works while this thread goes on with other devices. What is in the
 * page cache is done when `submit` returns, so that a batch of such requests costs one system call and one
 * interrupt of the guest.
 */
export class UringDisk implements DiskBackend {
  readonly sizeBytes: number
  readonly readOnly: boolean
  readonly physicalBlockBytes: number
  readonly canDiscard: boolean
  readonly canZero: boolean
  private readonly file: RawFile
  private readonly ring: DiskRing
  /** The iovecs of each tag: the kernel's until the request is done. Pages never touched cost nothing. */
  private readonly iovMemory: NativeBuffer
  private readonly table: (InFlight | undefined)[] = new Array(MAX_REQUESTS).fill(undefined)
  private listener: DiskListener | undefined
  private registration: Registration | undefined
  private inFlight = 0
  private draining = false
  private open = true

  /** Takes over `file` when it succeeds. Throws SystemError where io_uring is not to be had. */
  constructor(file: RawFile) {
    this.iovMemory = new NativeBuffer(MAX_REQUESTS * MAX_IOVECS * IOVEC_BYTES)
    try {
      this.ring = takeRing(file.fd, MAX_REQUESTS)
    } catch (error) {
      this.iovMemory.free()
      throw error
    }
    this.file = file
    this.sizeBytes = file.sizeBytes
    this.readOnly = file.readOnly
    this.physicalBlockBytes = file.physicalBlockBytes
    this.canDiscard = file.canDiscard
    this.canZero = file.canDiscard
  }

  start(loop: EventLoop, listener: DiskListener): void {
    this.listener = listener
    this.registration ??= loop.onReadable(this.ring.fd, () => {
      this.reap()
      // A completion may have started the next step of its request.
      this.ring.submit()
      this.listener?.batchEnded()
    })
  }

  read(tag: number, iov: IovecList, count: number, offset: number): void {
    this.transfer(URING_OP.READV, tag, iov, count, offset)
  }

  write(tag: number, iov: IovecList, count: number, offset: number): void {
    this.transfer(URING_OP.WRITEV, tag, iov, count, offset)
  }

  flush(tag: number): void {
    const request = this.begin(URING_OP.FSYNC, tag)
    this.push(request, tag)
  }

  discard(tag: number, offset: number, length: number): void {
    this.allocate(tag, offset, length, DISCARD)
  }

  zero(tag: number, offset: number, length: number, mayUnmap: boolean): void {
    this.allocate(tag, offset, length, mayUnmap ? DISCARD : ZERO)
  }

  submit(): void {
    this.ring.submit()
    // What needed no waiting is there already; telling now saves a turn of the loop.
    this.reap()
    this.ring.submit()
  }

  finish(): void {
    this.ring.submit()
    this.reap()
    while (this.inFlight > 0) {
      this.ring.wait()
      this.reap()
      // A completion may have started the next step of its request.
      this.ring.submit()
    }
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
    this.registration?.remove()
    if (this.file.borrowed) parkRing(this.file.fd, this.ring)
    else this.ring.close()
    this.iovMemory.free()
    this.file.close()
  }

  private transfer(operation: number, tag: number, iov: IovecList, count: number, offset: number): void {
    if (count > MAX_IOVECS) {
      this.listener?.completed(tag, ERRNO.EINVAL)
      return
    }
    const request = this.begin(operation, tag)
    request.iov.copy(iov, count)
    request.rest = iov.total(count)
    request.offset = offset
    request.entry = 0
    request.count = count
    this.push(request, tag)
  }

  private allocate(tag: number, offset: number, length: number, modes: readonly number[]): void {
    const request = this.begin(URING_OP.FALLOCATE, tag)
    request.offset = offset
    request.length = length
    request.modes = modes
    this.push(request, tag)
  }

  private begin(operation: number, tag: number): InFlight {
    let request = this.table[tag]
    if (request === undefined) {
      const at = tag * MAX_IOVECS * IOVEC_BYTES
      const words = new Uint32Array(this.iovMemory.bytes.buffer, at, MAX_IOVECS * 4)
      request = {
        operation,
        rest: 0,
        offset: 0,
        entry: 0,
        count: 0,
        modes: [],
        length: 0,
        iov: new IovecList(MAX_IOVECS, words),
        iovAddress: this.iovMemory.address + at,
      }
      this.table[tag] = request
    }
    request.operation = operation
    request.rest = 0
    this.inFlight++
    return request
  }

  private push(request: InFlight, tag: number): void {
    const { operation, offset } = request
    switch (operation) {
      case URING_OP.FSYNC:
        this.ring.push(operation, 0, 0, 0, FSYNC_DATASYNC, tag)
        break
      case URING_OP.FALLOCATE:
        // io_uring_enter(2): the length goes in addr and the mode in len.
        this.ring.push(operation, offset, request.length, request.modes[0]!, 0, tag)
        break
      default: {
        const address = request.iovAddress + request.entry * IOVEC_BYTES
        this.ring.push(operation, offset, address, request.count - request.entry, 0, tag)
      }
    }
  }

  private reap(): void {
    for (let tag = this.ring.take(); tag >= 0; tag = this.ring.take()) {
      const request = this.table[tag]!
      const errno = this.advance(request, tag, this.ring.result)
      if (errno < 0) continue
      this.inFlight--
      if (!this.draining) this.listener?.completed(tag, errno)
    }
  }

  /** Takes in one result. Returns 0 or the errno the request ends with, or -1 when it goes on. */
  private advance(request: InFlight, tag: number, result: number): number {
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) {
      this.push(request, tag)
      return -1
    }
    if (
      result === -ERRNO.EOPNOTSUPP &&
      request.operation === URING_OP.FALLOCATE &&
      request.modes.length > 1
    ) {
      request.modes = request.modes.slice(1)
      this.push(request, tag)
      return -1
    }
    if (result < 0) return -result
    if (request.rest === 0) return 0
    // The disk ended before its size: it was truncated.
    if (result === 0) return ERRNO.EIO
    request.rest -= result
    if (request.rest <= 0) return 0
    request.offset += result
    request.entry = request.iov.advance(request.entry, request.count - request.entry, result)
    this.push(request, tag)
    return -1
  }
}

const DISCARD = [FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE]
/** tmpfs has no ZERO_RANGE; there the hole has to do. */
const ZERO = [FALLOC.ZERO_RANGE | FALLOC.KEEP_SIZE, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE]
