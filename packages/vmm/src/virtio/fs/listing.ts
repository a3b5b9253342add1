/** The entries of a folder, from getdents64(2)'s form to FUSE's. */
import { errno, lseek } from '../../sys/libc.ts'
import { type FolderContext, openHandle } from './context.ts'
import { ANSWER_BYTES, BODY, type Message } from './message.ts'
import { DIRENT_BYTES, TRANSFER } from './protocol.ts'
import { ERRNO, getdents64 } from './system.ts'

/** struct linux_dirent64 {u64 ino; s64 off; u16 length; u8 type; char name[]} */
const ENTRY = { inode: 0, offset: 8, length: 16, type: 18, name: 19 } as const
const ROOM = ANSWER_BYTES - BODY
const SEEK_SET = 0

const scratch = new Uint8Array(ROOM)
const entries = new DataView(scratch.buffer)

/** As many entries as fit, from the place on that the guest was told with an earlier one; 0 bytes at the end. */
export function list(context: FolderContext, message: Message): number {
  const handle = openHandle(context, message.u64(TRANSFER.handle))
  if (handle === undefined || !handle.isFolder) return -ERRNO.EBADF
  if (handle.fd < 0) return -ERRNO.EIO
  // A place is whatever the file system says it is, up to 63 bits.
  if (seek(handle.fd, message.i64(TRANSFER.offset), SEEK_SET) < 0) return -errno()
  const room = Math.min(message.u32(TRANSFER.size), ROOM)
  let filled = 0
  for (;;) {
    const bytes = getdents64(handle.fd, scratch, Math.min(scratch.length, Math.max(room, MIN_ROOM)))
    if (bytes <= 0) return filled > 0 ? filled : bytes
    const before = filled
    for (let at = 0; at < bytes; at += entries.getUint16(at + ENTRY.length, true)) {
      const next = put(message, filled, room, at)
      // What does not fit is read again the next time.
      if (next < 0) return filled > 0 ? filled : -ERRNO.EINVAL
      filled = next
    }
    if (filled === before) return filled
  }
}

/** For an entry with the longest name: the kernel refuses less as too little. */
const MIN_ROOM = 512
const seek = lseek as (fd: number, offset: bigint | number, whence: number) => number

/** Writes the entry at `at` of the scratch memory; returns what is filled then, or -1 when it does not fit. */
function put({ output, answer }: Message, filled: number, room: number, at: number): number {
  const first = at + ENTRY.name
  const length = scratch.indexOf(0, first) - first
  const padded = (DIRENT_BYTES + length + 7) & ~7
  if (filled + padded > room) return -1
  const to = BODY + filled
  output.setBigUint64(to, entries.getBigUint64(at + ENTRY.inode, true), true)
  output.setBigUint64(to + 8, entries.getBigUint64(at + ENTRY.offset, true), true)
  output.setUint32(to + 16, length, true)
  output.setUint32(to + 20, entries.getUint8(at + ENTRY.type), true)
  answer.set(scratch.subarray(first, first + length), to + DIRENT_BYTES)
  answer.fill(0, to + DIRENT_BYTES + length, to + padded)
  return filled + padded
}
