import * as libc from '../sys/libc.ts'
import type { Ring, RingFiles } from './ring.ts'

/**
 * Shared memory of a ring that a thread works on. Int32 words: positions that only grow (modulo 2^32), then ENTRIES
 * completions, then ENTRIES operations.
 */
export const AT = { pushed: 0, started: 1, ended: 2, taken: 3, completions: 4 } as const
export const THREAD_RING_ENTRIES = 256
/** tag, result */
export const COMPLETION_WORDS = 2
/** As doubles: operation, descriptor, offset, address, length, tag. */
export const OPERATION_DOUBLES = 6
const WORDS_BYTES = (AT.completions + THREAD_RING_ENTRIES * COMPLETION_WORDS) * 4

/** A file that the disk thread serves, as both sides see it. Plain data. */
export interface DiskThreadFile {
  readonly file: number
  readonly memory: SharedArrayBuffer
  /** eventfd that is readable while completions wait. */
  readonly endedFd: number
  /** A word of the thread's, for all its files: grows when there is something to do. */
  readonly bell: SharedArrayBuffer
}

export function createThreadFile(file: number, bell: SharedArrayBuffer): DiskThreadFile {
  const memory = new SharedArrayBuffer(WORDS_BYTES + THREAD_RING_ENTRIES * OPERATION_DOUBLES * 8)
  return { file, memory, endedFd: libc.check('eventfd', libc.eventfdCreate(0, EFD_NONBLOCK_CLOEXEC)), bell }
}

export const wordsOf = ({ memory }: DiskThreadFile): Int32Array => new Int32Array(memory, 0, WORDS_BYTES / 4)
export const operationsOf = ({ memory }: DiskThreadFile): Float64Array =>
  new Float64Array(memory, WORDS_BYTES)

const EFD_NONBLOCK_CLOEXEC = 0o2004000

/** The asking side of a file that the disk thread serves. */
export class ThreadRing implements Ring {
  readonly fd: number
  readonly entries = THREAD_RING_ENTRIES
  result = 0
  private readonly files: RingFiles
  private readonly words: Int32Array
  private readonly operations: Float64Array
  private readonly bell: Int32Array
  private readonly drained = new BigUint64Array(1)

  constructor(files: RingFiles, file: DiskThreadFile) {
    this.files = files
    this.fd = file.endedFd
    this.words = wordsOf(file)
    this.operations = operationsOf(file)
    this.bell = new Int32Array(file.bell)
  }

  push(
    operation: number,
    direct: boolean,
    offset: number,
    address: number,
    length: number,
    _flags: number,
    tag: number,
  ): void {
    const { words } = this
    const pushed = words[AT.pushed]!
    const at = (pushed & (THREAD_RING_ENTRIES - 1)) * OPERATION_DOUBLES
    const { fd, directFd } = this.files
    this.operations[at] = operation
    this.operations[at + 1] = direct ? directFd! : fd
    this.operations[at + 2] = offset
    this.operations[at + 3] = address
    this.operations[at + 4] = length
    this.operations[at + 5] = tag
    // The operation before the position that shows it.
    Atomics.store(words, AT.pushed, (pushed + 1) | 0)
  }

  submit(): void {
    Atomics.add(this.bell, 0, 1)
    Atomics.notify(this.bell, 0)
  }

  wait(): void {
    const { words } = this
    for (;;) {
      const ended = Atomics.load(words, AT.ended)
      if (ended !== words[AT.taken]) return
      Atomics.wait(words, AT.ended, ended)
    }
  }

  take(): number {
    const { words } = this
    const taken = words[AT.taken]!
    if (taken === Atomics.load(words, AT.ended)) {
      libc.read(this.fd, this.drained, 8)
      // What ended between the look and the read has its signal read away with it.
      if (taken === Atomics.load(words, AT.ended)) return -1
    }
    const at = AT.completions + (taken & (THREAD_RING_ENTRIES - 1)) * COMPLETION_WORDS
    this.result = words[at + 1]!
    const tag = words[at]!
    words[AT.taken] = (taken + 1) | 0
    return tag
  }

  close(): void {}
}
