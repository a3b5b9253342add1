import koffi from 'koffi'
import * as libc from '../sys/libc.ts'
import { RING_OP } from './ring.ts'

const lib = koffi.load(null)
type Vectored = (fd: number, iov: number, count: number, offset: number) => number
const preadv: Vectored = lib.func('intptr_t preadv(int fd, intptr_t iov, int count, int64_t offset)')
const pwritev: Vectored = lib.func('intptr_t pwritev(int fd, intptr_t iov, int count, int64_t offset)')

/** Does what a ring is asked for by a call that waits. Returns what the kernel's ring would: 0 or more, or a negative errno. */
export function performOperation(
  file: number,
  operation: number,
  offset: number,
  address: number,
  length: number,
): number {
  const result = call(file, operation, offset, address, length)
  return result < 0 ? -libc.errno() : result
}

function call(file: number, operation: number, offset: number, address: number, length: number): number {
  switch (operation) {
    case RING_OP.READV:
      return preadv(file, address, length, offset)
    case RING_OP.WRITEV:
      return pwritev(file, address, length, offset)
    case RING_OP.FSYNC:
      return libc.fdatasync(file)
    case RING_OP.FALLOCATE:
      return libc.fallocate(file, length, offset, address)
    default:
      throw new Error(`unknown operation ${operation}`)
  }
}
