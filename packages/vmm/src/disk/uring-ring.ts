import * as libc from '../sys/libc.ts'
import { RING_OP, type Ring, type RingFiles } from './ring.ts'

/** Numbers of <linux/io_uring.h>. */
const SETUP = { R_DISABLED: 1 << 6, COOP_TASKRUN: 1 << 8 } as const
const FEATURE = { SINGLE_MMAP: 1, NODROP: 2, SUBMIT_STABLE: 4 } as const
const REGISTER = { FILES: 2, UNREGISTER_FILES: 3, RESTRICTIONS: 11, ENABLE_RINGS: 12 } as const
const RESTRICTION = { REGISTER_OP: 0, SQE_OP: 1, SQE_FLAGS_ALLOWED: 2, SQE_FLAGS_REQUIRED: 3 } as const
const ENTER_GETEVENTS = 1
const SQE_FIXED_FILE = 1
const OFFSET = { RINGS: 0, SQES: 0x1000_0000 } as const

const PARAMS_BYTES = 120
/** Offsets in struct io_uring_params, and in its sq_off and cq_off. */
const PARAMS = { FLAGS: 8, FEATURES: 20, SQ_OFF: 40, CQ_OFF: 80 } as const
const SQ_OFF = { HEAD: 0, TAIL: 4, MASK: 8, ENTRIES: 12, ARRAY: 24 } as const
const CQ_OFF = { HEAD: 0, TAIL: 4, MASK: 8, ENTRIES: 12, CQES: 20 } as const
const SQE_WORDS = 16
const CQE_WORDS = 4
const ERRNO = { EINTR: 4, EAGAIN: 11, EINVAL: 22, EBUSY: 16 } as const

/**
 * An io_uring over one file and nothing else: its file table holds that file's descriptors alone, every entry must name
 * one of them there, and only the four operations of a disk are allowed. So the ring cannot become a way around the
 * monitor's system call filter, which does not see what the kernel does on a ring's behalf.
 *
 * `fd` is readable while completions wait.
 */
export class DiskRing implements Ring {
  readonly fd: number
  readonly entries: number
  private readonly mappings: { address: number; length: number }[] = []
  private readonly rings: Uint32Array
  private readonly sqes: Uint32Array
  private readonly sq: { tail: number; mask: number }
  private readonly cq: { head: number; tail: number; mask: number; cqes: number }
  /** Entries written and not yet given to the kernel. */
  private unsubmitted = 0

  /** Throws SystemError where the kernel has no io_uring, forbids it, or is too old to restrict it. */
  constructor(files: RingFiles, entries: number) {
    const { fd, params } = setUp(entries)
    this.fd = fd
    try {
      const word = (offset: number): number => params.getUint32(offset, true)
      if ((word(PARAMS.FEATURES) & NEEDED_FEATURES) !== NEEDED_FEATURES) {
        throw new libc.SystemError('io_uring_setup', ERRNO.EINVAL)
      }
      restrict(fd, files)
      this.entries = word(0)
      const sqOffset = (field: number): number => word(PARAMS.SQ_OFF + field)
      const cqOffset = (field: number): number => word(PARAMS.CQ_OFF + field)
      const ringBytes = Math.max(
        sqOffset(SQ_OFF.ARRAY) + this.entries * 4,
        cqOffset(CQ_OFF.CQES) + word(4) * CQE_WORDS * 4,
      )
      this.rings = this.map(ringBytes, OFFSET.RINGS)
      this.sqes = this.map(this.entries * SQE_WORDS * 4, OFFSET.SQES)
      this.sq = { tail: sqOffset(SQ_OFF.TAIL) / 4, mask: this.rings[sqOffset(SQ_OFF.MASK) / 4]! }
      this.cq = {
        head: cqOffset(CQ_OFF.HEAD) / 4,
        tail: cqOffset(CQ_OFF.TAIL) / 4,
        mask: this.rings[cqOffset(CQ_OFF.MASK) / 4]!,
        cqes: cqOffset(CQ_OFF.CQES) / 4,
      }
      // The indirection between ring and entries is not needed: entry i is always in place i.
      const array = sqOffset(SQ_OFF.ARRAY) / 4
      for (let i = 0; i < this.entries; i++) this.rings[array + i] = i
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * Writes one operation on the file, to be started by `submit`. `address` and `length` mean what they mean to
   * the operation. At most `entries` operations may be in flight.
   */
  push(
    operation: number,
    direct: boolean,
    offset: number,
    address: number,
    length: number,
    flags: number,
    tag: number,
  ): void {
    if (this.unsubmitted === this.entries) this.submit()
    const tail = this.rings[this.sq.tail]!
    const at = (tail & this.sq.mask) * SQE_WORDS
    const sqe = this.sqes
    sqe[at] = operation | (SQE_FIXED_FILE << 8)
    sqe[at + 1] = direct ? 1 : 0
    // A word takes the low 32 bits of what is stored into it.
    sqe[at + 2] = offset
    sqe[at + 3] = offset / 0x1_0000_0000
    sqe[at + 4] = address
    sqe[at + 5] = address / 0x1_0000_0000
    sqe[at + 6] = length
    sqe[at + 7] = flags
    sqe[at + 8] = tag
    for (let i = at + 9; i < at + SQE_WORDS; i++) sqe[i] = 0
    // The entry before the tail that shows it.
    Atomics.store(this.rings, this.sq.tail, tail + 1)
    this.unsubmitted++
  }

  /** Gives everything pushed to the kernel; what it can do without waiting is done when this returns. */
  submit(): void {
    while (this.unsubmitted > 0) this.enter(0)
  }

  /** Waits until at least one completion is there. */
  wait(): void {
    this.enter(1)
  }

  /** Takes one completion: its tag, or -1 when there is none; `result` then is 0 or more, or a negative errno. */
  take(): number {
    const head = this.rings[this.cq.head]!
    if (head === Atomics.load(this.rings, this.cq.tail)) return -1
    const at = this.cq.cqes + (head & this.cq.mask) * CQE_WORDS
    const tag = this.rings[at]!
    this.result = this.rings[at + 2]! | 0
    Atomics.store(this.rings, this.cq.head, head + 1)
    return tag
  }
  /** Of the completion taken last. */
  result = 0

  /** Nothing may be in flight. */
  close(): void {
    libc.ioUringRegister(this.fd, REGISTER.UNREGISTER_FILES, null, 0)
    for (const { address, length } of this.mappings.splice(0)) libc.munmap(address, length)
    libc.close(this.fd)
  }

  private enter(minComplete: number): void {
    const flags = minComplete > 0 ? ENTER_GETEVENTS : 0
    const taken = libc.ioUringEnter(this.fd, this.unsubmitted, minComplete, flags)
    if (taken >= 0) {
      this.unsubmitted -= taken
      return
    }
    const code = libc.errno()
    // For a moment short of memory, or a signal meant for somebody else: the entries are still there.
    if (code !== ERRNO.EINTR && code !== ERRNO.EAGAIN && code !== ERRNO.EBUSY) {
      throw new libc.SystemError('io_uring_enter', code)
    }
  }

  private map(length: number, offset: number): Uint32Array {
    const address = libc.check(
      'mmap',
      libc.mmap(
        0,
        length,
        libc.PROT.READ | libc.PROT.WRITE,
        libc.MAP.SHARED | libc.MAP.POPULATE,
        this.fd,
        offset,
      ),
    )
    this.mappings.push({ address, length })
    return new Uint32Array(libc.viewOf(address, length))
  }
}

const NEEDED_FEATURES = FEATURE.SINGLE_MMAP | FEATURE.NODROP | FEATURE.SUBMIT_STABLE

function setUp(entries: number): { fd: number; params: DataView } {
  // COOP_TASKRUN (Linux 5.19) saves an interrupt of this thread for each completion.
  for (const flags of [SETUP.R_DISABLED | SETUP.COOP_TASKRUN, SETUP.R_DISABLED]) {
    const params = new DataView(new ArrayBuffer(PARAMS_BYTES))
    params.setUint32(PARAMS.FLAGS, flags, true)
    const fd = libc.ioUringSetup(entries, params)
    if (fd >= 0) return { fd, params }
    if (libc.errno() !== ERRNO.EINVAL) break
  }
  throw new libc.SystemError('io_uring_setup', libc.errno())
}

function restrict(fd: number, files: RingFiles): void {
  const rules: readonly (readonly [number, number])[] = [
    ...Object.values(RING_OP).map((operation) => [RESTRICTION.SQE_OP, operation] as const),
    [RESTRICTION.SQE_FLAGS_ALLOWED, SQE_FIXED_FILE],
    [RESTRICTION.SQE_FLAGS_REQUIRED, SQE_FIXED_FILE],
    [RESTRICTION.REGISTER_OP, REGISTER.UNREGISTER_FILES],
  ]
  // struct io_uring_restriction {u16 opcode; u8 operation or flags; u8 and 3 × u32 reserved}
  const table = new DataView(new ArrayBuffer(rules.length * 16))
  for (const [i, [kind, value]] of rules.entries()) {
    table.setUint16(i * 16, kind, true)
    table.setUint8(i * 16 + 2, value)
  }
  const register = (operation: number, argument: ArrayBufferView | null, count: number): void => {
    libc.check('io_uring_register', libc.ioUringRegister(fd, operation, argument, count))
  }
  const descriptors = files.directFd === undefined ? [files.fd] : [files.fd, files.directFd]
  register(REGISTER.FILES, new Int32Array(descriptors), descriptors.length)
  register(REGISTER.RESTRICTIONS, table, rules.length)
  register(REGISTER.ENABLE_RINGS, null, 0)
}
