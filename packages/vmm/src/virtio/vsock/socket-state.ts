/** What a non-blocking socket says beside its bytes. */
import * as libc from '../../sys/libc.ts'

const POLLIN = 1
const POLLHUP = 0x10
const ERRNO = { EINTR: 4, EAGAIN: 11 } as const

/** Whether the other side has gone altogether, and not only said that it sends no more. */
export function hasHungUp(fd: number): boolean {
  // struct pollfd {s32 fd; s16 events; s16 revents}
  const entry = new DataView(new ArrayBuffer(8))
  entry.setInt32(0, fd, true)
  entry.setInt16(4, POLLIN, true)
  return libc.poll(entry, 1, 0) > 0 && (entry.getInt16(6, true) & POLLHUP) !== 0
}

/** Of the call that just failed. */
export const isTemporary = (): boolean => {
  const code = libc.errno()
  return code === ERRNO.EAGAIN || code === ERRNO.EINTR
}
