/** Operations on what is known of a file: its attributes, and the target of a link. */
import { close } from '../../sys/libc.ts'
import {
  answerAttributes,
  type FolderContext,
  isStill,
  locateNode,
  locateParent,
  openHandle,
  stale,
} from './context.ts'
import { setLength } from './files.ts'
import { nameBytes } from './folder.ts'
import type { Handle } from './handles.ts'
import { BODY, type Message } from './message.ts'
import type { Node } from './nodes.ts'
import { FATTR, FUSE_GETATTR_FH, STATFS_OUT_BYTES } from './protocol.ts'
import { MODE_BITS, S_IFDIR, S_IFLNK, S_IFMT } from './stat.ts'
import { ERRNO, fchmod, fstatfs, futimens, O, readlinkOf, utimensat } from './system.ts'

/** <linux/stat.h>, for utimensat(2). */
const UTIME_NOW = 0x3fff_ffffn
const UTIME_OMIT = 0x3fff_fffen
/** Where struct fuse_setattr_in has what. */
const SETATTR = {
  valid: 0,
  handle: 8,
  size: 16,
  atime: 32,
  mtime: 40,
  atimeNs: 56,
  mtimeNs: 60,
  mode: 68,
  uid: 76,
  gid: 80,
}
const TARGET_MAX = 4095

export function getAttributes(context: FolderContext, message: Message, node: Node): number {
  const told = (message.u32(0) & FUSE_GETATTR_FH) !== 0 ? message.u64(8) : 0
  const failed = look(context, node, told)
  return failed < 0 ? failed : answerAttributes(context, message)
}

/** Fills `folder.stat`: by an open handle, which also knows a file whose name is gone, or by the name. */
function look(context: FolderContext, node: Node, handleId: number): number {
  const handle = handleFor(context, node, handleId)
  if (handle !== undefined) return context.folder.stat.read(handle.fd)
  const fd = locateNode(context, node)
  if (fd < 0) return fd
  close(fd)
  return 0
}

function handleFor(context: FolderContext, node: Node, id: number): Handle | undefined {
  const told = id === 0 ? undefined : openHandle(context, id)
  if (told !== undefined && told.node === node && told.fd >= 0) return told
  return node.parent === undefined ? context.handles.of(node) : undefined
}

export function setAttributes(context: FolderContext, message: Message, node: Node): number {
  const valid = message.u32(SETATTR.valid)
  const { owner } = context
  // Files have no other owner than the one the guest is told; saying so again is no change.
  if ((valid & FATTR.UID) !== 0 && message.u32(SETATTR.uid) !== owner) return -ERRNO.EPERM
  if ((valid & FATTR.GID) !== 0 && message.u32(SETATTR.gid) !== owner) return -ERRNO.EPERM
  const handleId = (valid & FATTR.FH) !== 0 ? message.u64(SETATTR.handle) : 0
  const failed =
    ((valid & FATTR.MODE) !== 0 && setMode(context, node, handleId, message.u32(SETATTR.mode))) ||
    ((valid & FATTR.SIZE) !== 0 && setSize(context, node, handleId, message.u64(SETATTR.size))) ||
    ((valid & (FATTR.ATIME | FATTR.MTIME)) !== 0 && setTimes(context, node, handleId, message, valid)) ||
    look(context, node, handleId)
  return failed < 0 ? failed : answerAttributes(context, message)
}

function setMode(context: FolderContext, node: Node, handleId: number, mode: number): number {
  return withOpened(context, node, handleId, false, (fd) => {
    const { stat } = context.folder
    const failed = stat.read(fd)
    if (failed < 0) return failed
    // What the host set on a folder (its group is inherited, only owners remove) stays; the guest is not shown it.
    const kept = stat.kind === S_IFDIR ? stat.mode & ~S_IFMT & ~MODE_BITS : 0
    return fchmod(fd, kept | (mode & MODE_BITS))
  })
}

function setSize(context: FolderContext, node: Node, handleId: number, bytes: number): number {
  if (bytes > Number.MAX_SAFE_INTEGER) return -ERRNO.EFBIG
  return withOpened(context, node, handleId, true, (fd) => setLength(fd, bytes))
}

/** Does `work` with a descriptor of a regular file, or of a folder unless it is to be `written`. */
function withOpened(
  context: FolderContext,
  node: Node,
  handleId: number,
  written: boolean,
  work: (fd: number) => number,
): number {
  const handle = handleFor(context, node, handleId)
  if (handle !== undefined && (!written || (handle.flags & O.ACCMODE) !== O.RDONLY)) return work(handle.fd)
  const path = context.nodes.path(node)
  if (path === undefined) return -ERRNO.ESTALE
  const { folder } = context
  let fd = written ? folder.openFile(path, O.WRONLY) : folder.openEither(path)
  // A file that may not be read, but has an owner who may change that.
  if (fd === -ERRNO.EACCES && !written) fd = folder.openFile(path, O.WRONLY)
  if (fd < 0) return stale(fd)
  const result = isStill(context, node) ? work(fd) : -ERRNO.ESTALE
  close(fd)
  return result
}

function setTimes(
  context: FolderContext,
  node: Node,
  handleId: number,
  message: Message,
  valid: number,
): number {
  const times = new BigInt64Array(4)
  const set = (at: number, given: number, now: number, seconds: number, nanoseconds: number): void => {
    times[at + 1] =
      (valid & given) === 0 ? UTIME_OMIT : (valid & now) !== 0 ? UTIME_NOW : BigInt(message.u32(nanoseconds))
    times[at] = message.i64(seconds)
  }
  set(0, FATTR.ATIME, FATTR.ATIME_NOW, SETATTR.atime, SETATTR.atimeNs)
  set(2, FATTR.MTIME, FATTR.MTIME_NOW, SETATTR.mtime, SETATTR.mtimeNs)
  const handle = handleFor(context, node, handleId)
  if (handle !== undefined) return futimens(handle.fd, times)
  if (node.parent === undefined) {
    return withOpened(context, node, 0, false, (fd) => futimens(fd, times))
  }
  const found = locateNode(context, node)
  if (found < 0) return found
  close(found)
  const parent = locateParent(context, node.parent)
  if (parent < 0) return parent
  const failed = utimensat(parent, nameBytes(node.name), times)
  close(parent)
  return failed
}

export function readLink(context: FolderContext, message: Message, node: Node): number {
  const fd = locateNode(context, node)
  if (fd < 0) return fd
  const { stat } = context.folder
  const bytes =
    stat.kind === S_IFLNK ? readlinkOf(fd, message.answer.subarray(BODY, BODY + TARGET_MAX)) : -ERRNO.EINVAL
  close(fd)
  return bytes
}

/** struct statfs of x86-64: words of 8 bytes. */
const STATFS = {
  blockSize: 1,
  blocks: 2,
  free: 3,
  available: 4,
  files: 5,
  filesFree: 6,
  nameMax: 8,
  fragment: 9,
}

export function fileSystem({ folder }: FolderContext, { output }: Message): number {
  const words = new BigUint64Array(15)
  const failed = fstatfs(folder.fd, words)
  if (failed < 0) return failed
  const order = [STATFS.blocks, STATFS.free, STATFS.available, STATFS.files, STATFS.filesFree]
  for (const [i, word] of order.entries()) output.setBigUint64(BODY + 8 * i, words[word]!, true)
  const small = [STATFS.blockSize, STATFS.nameMax, STATFS.fragment]
  for (const [i, word] of small.entries()) output.setUint32(BODY + 40 + 4 * i, Number(words[word]), true)
  output.setUint32(BODY + 52, 0, true)
  for (let at = 56; at < STATFS_OUT_BYTES; at += 8) output.setBigUint64(BODY + at, 0n, true)
  return STATFS_OUT_BYTES
}
