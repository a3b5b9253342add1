import koffi from 'koffi'
import * as libc from '../../sys/libc.ts'

const fcntl: (fd: number, command: number, lock: DataView) => number = koffi
  .load(null)
  .func('int fcntl(int fd, int cmd, void *lock)')

/** <fcntl.h> */
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37
const LOCK_TYPE = { read: 0, write: 1, unlock: 2 } as const
/** struct flock {s16 type, s16 whence, s64 start, s64 length, s32 pid} */
const FLOCK_BYTES = 32

/**
 * QEMU's locks on image files: a byte each for what an opener does (from 100 on) and for what it does not stand in
 * others (from 200 on). The numbers are bits of its block permissions.
 */
const DOES = 100
const FORBIDS = 200
const PERMISSION = { read: 0, write: 1, resize: 3 } as const

/**
 * Locks an image: one writer, or any number of readers, among ourselves (flock) and with QEMU's programs, so
 * that a `qemu-img resize` beside a running machine is refused by both. The locks belong to the open
 * file, and end with the last process that has it open. Returns false when somebody is in the way.
 */
export function lockImage(fd: number, readOnly: boolean): boolean {
  if (libc.flock(fd, (readOnly ? libc.LOCK.SH : libc.LOCK.EX) | libc.LOCK.NB) < 0) return false
  const does = readOnly ? [PERMISSION.read] : [PERMISSION.read, PERMISSION.write, PERMISSION.resize]
  const forbids = [PERMISSION.write, PERMISSION.resize]
  // As QEMU does: lock first, then look, so that of two at the same time at least one sees the other.
  for (const bit of does) lockByte(fd, DOES + bit)
  for (const bit of forbids) lockByte(fd, FORBIDS + bit)
  return (
    forbids.every((bit) => !isLocked(fd, DOES + bit)) && does.every((bit) => !isLocked(fd, FORBIDS + bit))
  )
}

/** A shared lock never meets another one, so this fails only where a file system has no such locks; `flock` remains then. */
function lockByte(fd: number, byte: number): void {
  fcntl(fd, F_OFD_SETLK, request(LOCK_TYPE.read, byte))
}

/** Whether another open file has the byte locked. */
function isLocked(fd: number, byte: number): boolean {
  const lock = request(LOCK_TYPE.write, byte)
  return fcntl(fd, F_OFD_GETLK, lock) === 0 && lock.getInt16(0, true) !== LOCK_TYPE.unlock
}

function request(type: number, byte: number): DataView {
  const lock = new DataView(new ArrayBuffer(FLOCK_BYTES))
  lock.setInt16(0, type, true)
  lock.setBigInt64(8, BigInt(byte), true)
  lock.setBigInt64(16, 1n, true)
  return lock
}
