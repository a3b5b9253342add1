import type { EventLoop, Registration } from '../io/event-loop.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { IovecList } from '../virtio/chain.ts'
import { copyFrom, copyTo, zeroAt } from './host-memory.ts'
import { DIRECT_ALIGNMENT, FSYNC_DATASYNC, RING_OP, type Ring, type RingFiles } from './ring.ts'
import { parkRing, takeRing } from './rings.ts'

/** As many as a virtio queue has entries. */
export const RING_ENTRIES = 256
/** UIO_MAXIOV of the kernel. */
const MAX_IOVECS = 1024
const IOVEC_BYTES = 16
const ERRNO = { EINTR: 4, EIO: 5, EAGAIN: 11, EINVAL: 22 } as const

/** Is told when an operation is over: 0, or the errno it failed with. May be called before the starting call returns. */
export interface Completion {
  done(errno: number): void
}

/** An operation in flight, and the memory the kernel finds its iovecs in. */
interface Slot {
  readonly tag: number
  readonly iov: IovecList
  readonly iovAddress: number
  operation: number
  direct: boolean
  completion: Completion | undefined
  /** Bytes of a transfer that are still to come, and where. */
  rest: number
  offset: number
  entry: number
  count: number
  /** Of fallocate. */
  mode: number
}

export interface FileQueueOptions {
  /** The descriptor outlives the machine: its ring is kept for the next one on this thread. */
  readonly keepRing: boolean
  /** What lies past the end of the file: an I/O error, as of a disk that was truncated, or zeroes. */
  readonly pastEnd: 'error' | 'zeroes'
}

/**
 * What is asked of one file and need not be waited for: whole transfers, syncs and holes, each with one completion.
 * What the page cache has is done when `submit` returns, so that a batch costs one system call and one interrupt of the
 * guest. Memory that iovecs name belongs to the file until the completion; the list itself is the caller's again at once.
 */
export class FileQueue {
  inFlight = 0
  writesInFlight = 0
  private readonly files: RingFiles
  private readonly options: FileQueueOptions
  private readonly ring: Ring
  private readonly memory: NativeBuffer
  private readonly slots: Slot[] = []
  private readonly free: Slot[] = []
  /** Operations for which there was no slot. */
  private readonly waiting: ((slot: Slot) => void)[] = []
  private registration: Registration | undefined
  private unsubmitted = false

  constructor(files: RingFiles, options: FileQueueOptions, ring: Ring = takeRing(files, RING_ENTRIES)) {
    this.files = files
    this.options = options
    this.ring = ring
    // Pages never touched cost nothing.
    this.memory = new NativeBuffer(RING_ENTRIES * MAX_IOVECS * IOVEC_BYTES)
  }

  /** `turned` is called after completions came. */
  start(loop: EventLoop, turned: () => void): void {
    // A ring that blocks ends everything within `submit`.
    if (this.ring.fd < 0) return
    this.registration ??= loop.onReadable(this.ring.fd, () => {
      this.reap()
      // A completion may have started the next step of its request.
      this.submit()
      turned()
    })
  }

  /** Reads or writes the first `count` entries of `iov`, which are `bytes` together. */
  transfer(
    write: boolean,
    offset: number,
    iov: IovecList,
    count: number,
    bytes: number,
    completion: Completion,
  ): void {
    if (count > MAX_IOVECS) {
      completion.done(ERRNO.EINVAL)
      return
    }
    // What is not of whole sectors is an entry of a table; the kernel keeps its page cache and what passes it by together.
    const direct =
      this.files.directFd !== undefined && offset % DIRECT_ALIGNMENT === 0 && bytes % DIRECT_ALIGNMENT === 0
    if (direct && !isAligned(iov, count)) {
      this.bounce(write, offset, iov, count, bytes, completion)
      return
    }
    const operation = write ? RING_OP.WRITEV : RING_OP.READV
    const slot = this.take()
    if (slot !== undefined) {
      this.beginTransfer(slot, operation, direct, offset, iov, count, bytes, completion)
      return
    }
    const copy = iov.clone(count)
    this.waiting.push((late) =>
      this.beginTransfer(late, operation, direct, offset, copy, count, bytes, completion),
    )
  }

  /** By way of memory of ours: O_DIRECT wants it aligned, and a guest may lay out its own as it likes. */
  private bounce(
    write: boolean,
    offset: number,
    iov: IovecList,
    count: number,
    bytes: number,
    completion: Completion,
  ): void {
    const buffer = new NativeBuffer(bytes)
    const pieces = iov.clone(count)
    const copy = (move: (address: number, piece: Uint8Array) => void): void => {
      for (let i = 0, at = 0; i < count; at += pieces.length(i++)) {
        move(pieces.address(i), buffer.bytes.subarray(at, at + pieces.length(i)))
      }
    }
    if (write) copy(copyFrom)
    const whole = new IovecList(1)
    whole.set(0, buffer.address, bytes)
    this.transfer(write, offset, whole, 1, bytes, {
      done(errno) {
        if (!write && errno === 0) copy(copyTo)
        buffer.free()
        completion.done(errno)
      },
    })
  }

  /** fdatasync. */
  sync(completion: Completion): void {
    this.simple(RING_OP.FSYNC, 0, 0, 0, completion)
  }

  /** fallocate. */
  allocate(mode: number, offset: number, length: number, completion: Completion): void {
    this.simple(RING_OP.FALLOCATE, offset, length, mode, completion)
  }

  /** What was begun starts now. Returns whether that ended anything. */
  submit(): boolean {
    let ended = false
    while (this.unsubmitted) {
      this.unsubmitted = false
      this.ring.submit()
      // What needed no waiting is there already; telling now saves a turn of the loop.
      ended = this.reap() || ended
    }
    return ended
  }

  reap(): boolean {
    let any = false
    for (let tag = this.ring.take(); tag >= 0; tag = this.ring.take()) {
      any = true
      this.advance(this.slots[tag]!, this.ring.result)
    }
    return any
  }

  /** Waits until something in flight is over or one step further. */
  wait(): void {
    this.submit()
    if (this.inFlight === 0) return
    this.ring.wait()
    this.reap()
    this.submit()
  }

  /** Nothing may be in flight. */
  close(): void {
    this.registration?.remove()
    if (this.options.keepRing) parkRing(this.files.fd, this.ring)
    else this.ring.close()
    this.memory.free()
  }

  private simple(
    operation: number,
    offset: number,
    length: number,
    mode: number,
    completion: Completion,
  ): void {
    const begin = (slot: Slot): void => {
      slot.offset = offset
      slot.rest = length
      slot.mode = mode
      this.begin(slot, operation, completion)
    }
    const slot = this.take()
    if (slot === undefined) this.waiting.push(begin)
    else begin(slot)
  }

  private beginTransfer(
    slot: Slot,
    operation: number,
    direct: boolean,
    offset: number,
    iov: IovecList,
    count: number,
    bytes: number,
    completion: Completion,
  ): void {
    slot.iov.copy(iov, count)
    slot.direct = direct
    slot.offset = offset
    slot.rest = bytes
    slot.entry = 0
    slot.count = count
    if (operation === RING_OP.WRITEV) this.writesInFlight++
    this.begin(slot, operation, completion)
  }

  private begin(slot: Slot, operation: number, completion: Completion): void {
    slot.operation = operation
    slot.completion = completion
    this.inFlight++
    this.push(slot)
  }

  private push(slot: Slot): void {
    const { operation, direct, offset, tag } = slot
    this.unsubmitted = true
    switch (operation) {
      case RING_OP.FSYNC:
        this.ring.push(operation, false, 0, 0, 0, FSYNC_DATASYNC, tag)
        break
      case RING_OP.FALLOCATE:
        // io_uring_enter(2): the length goes in addr and the mode in len.
        this.ring.push(operation, false, offset, slot.rest, slot.mode, 0, tag)
        break
      default: {
        const address = slot.iovAddress + slot.entry * IOVEC_BYTES
        this.ring.push(operation, direct, offset, address, slot.count - slot.entry, 0, tag)
      }
    }
  }

  /** Takes in one result: the operation is over, or goes on. */
  private advance(slot: Slot, result: number): void {
    const { operation } = slot
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) {
      this.push(slot)
      return
    }
    let errno = result < 0 ? -result : 0
    if (operation === RING_OP.READV || operation === RING_OP.WRITEV) {
      if (result > 0 && result < slot.rest) {
        // A rest that begins within a sector, as at the end of a file.
        if (result % DIRECT_ALIGNMENT !== 0) slot.direct = false
        slot.rest -= result
        slot.offset += result
        slot.entry = slot.iov.advance(slot.entry, slot.count - slot.entry, result)
        this.push(slot)
        return
      }
      if (result === 0) errno = this.ended(slot)
      if (operation === RING_OP.WRITEV) this.writesInFlight--
    }
    const completion = slot.completion!
    slot.completion = undefined
    this.inFlight--
    const next = this.waiting.shift()
    if (next === undefined) this.free.push(slot)
    else next(slot)
    completion.done(errno)
  }

  /** The file ended before the transfer. Returns its errno. */
  private ended(slot: Slot): number {
    if (this.options.pastEnd === 'error' || slot.operation === RING_OP.WRITEV) return ERRNO.EIO
    for (let i = slot.entry; i < slot.count; i++) zeroAt(slot.iov.address(i), slot.iov.length(i))
    return 0
  }

  private take(): Slot | undefined {
    const used = this.free.pop()
    if (used !== undefined || this.slots.length === RING_ENTRIES) return used
    const tag = this.slots.length
    const at = tag * MAX_IOVECS * IOVEC_BYTES
    const words = new Uint32Array(this.memory.bytes.buffer, at, MAX_IOVECS * 4)
    const slot: Slot = {
      ...{ tag, iov: new IovecList(MAX_IOVECS, words), iovAddress: this.memory.address + at },
      ...{
        operation: 0,
        direct: false,
        completion: undefined,
        rest: 0,
        offset: 0,
        entry: 0,
        count: 0,
        mode: 0,
      },
    }
    this.slots.push(slot)
    return slot
  }
}

function isAligned(iov: IovecList, count: number): boolean {
  for (let i = 0; i < count; i++) {
    if (iov.address(i) % DIRECT_ALIGNMENT !== 0 || iov.length(i) % DIRECT_ALIGNMENT !== 0) return false
  }
  return true
}
