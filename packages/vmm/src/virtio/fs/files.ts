/** Operations on what a file holds: open, read, write, close. Data goes straight between the file and guest memory. */
import { close, errno, fallocate, fdatasync, ftruncate, preadv, pwritev } from '../../sys/libc.ts'
import { answerEntry, type FolderContext, isStill, openHandle, stale } from './context.ts'
import { isName } from './folder.ts'
import type { Handle } from './handles.ts'
import { BODY, type Message, setU64 } from './message.ts'
import { createFile } from './names.ts'
import type { Node } from './nodes.ts'
import {
  ENTRY_OUT_BYTES,
  FUSE_FSYNC_FDATASYNC,
  MAX_TRANSFER,
  OPEN_OUT_BYTES,
  TRANSFER,
  WRITE_OUT_BYTES,
} from './protocol.ts'
import { ERRNO, fsync, O } from './system.ts'

/** FALLOC_FL_KEEP_SIZE and PUNCH_HOLE: space for a file, and giving it back. */
const FALLOCATE_MODES = [0, 1, 3]

/** Of what the guest's program asks, what concerns the host. */
const openFlags = (flags: number): number => flags & (O.ACCMODE | O.APPEND | O.TRUNC)
/** Whether opening with these changes anything. */
export const isWriting = (flags: number): boolean =>
  (flags & O.ACCMODE) !== O.RDONLY || (flags & (O.TRUNC | O.CREAT)) !== 0

export function open(context: FolderContext, message: Message, node: Node, isFolder: boolean): number {
  const { folder, handles, nodes } = context
  const flags = isFolder ? O.RDONLY : openFlags(message.u32(0))
  if ((flags & O.ACCMODE) === O.ACCMODE) return -ERRNO.EINVAL
  if (!folder.writable && isWriting(flags)) return -ERRNO.EROFS
  if (handles.isFull) return -ERRNO.ENFILE
  const path = nodes.path(node)
  if (path === undefined) return -ERRNO.ESTALE
  // Emptied only when it is known to be the right one.
  const fd = isFolder ? folder.openFolder(path) : folder.openFile(path, flags & ~O.TRUNC)
  if (fd < 0) return stale(fd)
  if (!isFolder && !isStill(context, node)) {
    close(fd)
    return -ERRNO.ESTALE
  }
  if ((flags & O.TRUNC) !== 0) setLength(fd, 0)
  answerHandle(message, BODY, handles.add(node, fd, isFolder, flags & ~O.TRUNC))
  return OPEN_OUT_BYTES
}

export function create(context: FolderContext, message: Message, parent: Node): number {
  const name = message.text(16)
  if (name === undefined || !isName(name)) return -ERRNO.EINVAL
  const asked = message.u32(0)
  const flags = openFlags(asked)
  if ((flags & O.ACCMODE) === O.ACCMODE) return -ERRNO.EINVAL
  if (context.handles.isFull) return -ERRNO.ENFILE
  const fd = createFile(context, parent, name, flags | (asked & O.EXCL), message.u32(4))
  if (fd < 0) return fd
  let opened: Node | undefined
  const entered = answerEntry(context, message, parent, name, (node) => {
    opened = node
  })
  if (opened === undefined) {
    close(fd)
    return entered < 0 ? entered : -ERRNO.EIO
  }
  answerHandle(message, BODY + ENTRY_OUT_BYTES, context.handles.add(opened, fd, false, flags & ~O.TRUNC))
  return ENTRY_OUT_BYTES + OPEN_OUT_BYTES
}

function answerHandle({ output }: Message, at: number, { id }: Handle): void {
  setU64(output, at, id)
  setU64(output, at + 8, 0)
}

export function release({ handles, nodes }: FolderContext, message: Message): number {
  const handle = handles.remove(message.u64(0))
  if (handle === undefined) return -ERRNO.EBADF
  nodes.dropIfUnused(handle.node)
  return 0
}

/** Bytes that were read into guest memory, or an errno negated. */
export function read(context: FolderContext, message: Message): number {
  return transfer(context, message, false)
}

export function write(context: FolderContext, message: Message): number {
  const bytes = transfer(context, message, true)
  if (bytes < 0) return bytes
  setU64(message.output, BODY, bytes)
  return WRITE_OUT_BYTES
}

function transfer(context: FolderContext, message: Message, writing: boolean): number {
  const handle = openHandle(context, message.u64(TRANSFER.handle))
  if (handle === undefined || handle.isFolder) return -ERRNO.EBADF
  if (handle.fd < 0) return -ERRNO.EIO
  const size = message.u32(TRANSFER.size)
  let offset = message.u64(TRANSFER.offset)
  if (size > MAX_TRANSFER || message.iov.total(message.iovecs) < size) return -ERRNO.EINVAL
  if (offset + size > Number.MAX_SAFE_INTEGER) return -ERRNO.EFBIG
  const { iov } = message
  const end = message.iovecs
  let first = 0
  let done = 0
  while (done < size) {
    const rest = iov.words.subarray(first * 4, end * 4)
    const count = end - first
    const moved = writing ? pwritev(handle.fd, rest, count, offset) : preadv(handle.fd, rest, count, offset)
    if (moved < 0) {
      const code = errno()
      if (code === ERRNO.EINTR) continue
      return done > 0 ? done : -code
    }
    // The end of the file.
    if (moved === 0) break
    done += moved
    offset += moved
    first = iov.advance(first, count, moved)
  }
  return done
}

export function sync(context: FolderContext, message: Message): number {
  const handle = openHandle(context, message.u64(0))
  if (handle === undefined) return -ERRNO.EBADF
  if (handle.fd < 0) return -ERRNO.EIO
  if ((message.u32(8) & FUSE_FSYNC_FDATASYNC) === 0) return fsync(handle.fd)
  return fdatasync(handle.fd) < 0 ? -errno() : 0
}

export function allocate(context: FolderContext, message: Message): number {
  const handle = openHandle(context, message.u64(0))
  if (handle === undefined || handle.isFolder) return -ERRNO.EBADF
  if (handle.fd < 0) return -ERRNO.EIO
  const [offset, length, mode] = [message.u64(8), message.u64(16), message.u32(24)]
  if (!FALLOCATE_MODES.includes(mode)) return -ERRNO.EOPNOTSUPP
  if (offset + length > Number.MAX_SAFE_INTEGER) return -ERRNO.EFBIG
  return fallocate(handle.fd, mode, offset, length) < 0 ? -errno() : 0
}

export function setLength(fd: number, bytes: number): number {
  return ftruncate(fd, bytes) < 0 ? -errno() : 0
}
