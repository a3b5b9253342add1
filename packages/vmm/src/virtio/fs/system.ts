/**
 * The system calls that only the sharing of a folder makes, bound with fixed prototypes. A result is what the call
 * returns, or the errno negated. A path is bytes with a zero at their end.
 */
import koffi from 'koffi'
import { errno } from '../../sys/libc.ts'

const libc = koffi.load(null)

/** arch/x86/entry/syscalls/syscall_64.tbl */
const NR = {
  fsync: 74,
  fchmod: 91,
  fstatfs: 138,
  getdents64: 217,
  mkdirat: 258,
  unlinkat: 263,
  linkat: 265,
  symlinkat: 266,
  readlinkat: 267,
  utimensat: 280,
  renameat2: 316,
  statx: 332,
  open_tree: 428,
  openat2: 437,
  mount_setattr: 442,
} as const

const fdPathData = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t fd, void *path, void *data, intptr_t last)',
)
const fdPath = libc.func('intptr_t syscall(intptr_t n, intptr_t fd, void *path, intptr_t last)')
const fdData = libc.func('intptr_t syscall(intptr_t n, intptr_t fd, void *data, intptr_t last)')
const fdNumber = libc.func('intptr_t syscall(intptr_t n, intptr_t fd, intptr_t last)')
const statxCall = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t fd, void *path, intptr_t flags, intptr_t mask, void *data)',
)
const twoPaths = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t from, void *path, intptr_t to, void *other, intptr_t flags)',
)
const pathFdPath = libc.func('intptr_t syscall(intptr_t n, void *target, intptr_t fd, void *path)')
const fdTextFlags = libc.func('intptr_t syscall(intptr_t n, intptr_t fd, const char *path, intptr_t flags)')
const mountCall = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t fd, const char *path, intptr_t flags, void *data, intptr_t size)',
)

const result = (value: number): number => (value < 0 ? -errno() : value)
export const EMPTY_PATH = new Uint8Array(1)

/** `how` is struct open_how {u64 flags, mode, resolve}. */
export const openat2 = (fd: number, path: Uint8Array, how: Uint32Array): number =>
  result(fdPathData(NR.openat2, fd, path, how, 24))
/** Of the descriptor itself, into the 256 bytes of `data`. */
export const statxOf = (fd: number, data: Uint8Array): number =>
  result(statxCall(NR.statx, fd, EMPTY_PATH, AT_EMPTY_PATH, STATX_BASIC_STATS, data))
export const readlinkOf = (fd: number, target: Uint8Array): number =>
  result(fdPathData(NR.readlinkat, fd, EMPTY_PATH, target, target.length))
export const getdents64 = (fd: number, entries: Uint8Array, length: number): number =>
  result(fdData(NR.getdents64, fd, entries, length))
export const fstatfs = (fd: number, data: BigUint64Array): number => result(fdData(NR.fstatfs, fd, data, 0))
export const fsync = (fd: number): number => result(fdNumber(NR.fsync, fd, 0))
export const fchmod = (fd: number, mode: number): number => result(fdNumber(NR.fchmod, fd, mode))
export const mkdirat = (fd: number, name: Uint8Array, mode: number): number =>
  result(fdPath(NR.mkdirat, fd, name, mode))
export const unlinkat = (fd: number, name: Uint8Array, flags: number): number =>
  result(fdPath(NR.unlinkat, fd, name, flags))
export const symlinkat = (target: Uint8Array, fd: number, name: Uint8Array): number =>
  result(pathFdPath(NR.symlinkat, target, fd, name))
/** Of the name itself, should it be a link. */
export const linkat = (from: number, name: Uint8Array, to: number, newName: Uint8Array): number =>
  result(twoPaths(NR.linkat, from, name, to, newName, 0))
export const renameat2 = (
  from: number,
  name: Uint8Array,
  to: number,
  newName: Uint8Array,
  flags: number,
): number => result(twoPaths(NR.renameat2, from, name, to, newName, flags))
/** `times` is struct timespec[2]; of the name itself, should it be a link. */
export const utimensat = (fd: number, name: Uint8Array, times: BigInt64Array): number =>
  result(fdPathData(NR.utimensat, fd, name, times, AT_SYMLINK_NOFOLLOW))
export const futimens = (fd: number, times: BigInt64Array): number =>
  result(fdPathData(NR.utimensat, fd, null as unknown as Uint8Array, times, 0))
export const openTree = (path: string, flags: number): number =>
  result(fdTextFlags(NR.open_tree, AT_FDCWD, path, flags))
/** `attribute` is struct mount_attr {u64 set, clear, propagation, userns_fd}. */
export const mountSetattr = (fd: number, flags: number, attribute: BigUint64Array): number =>
  result(mountCall(NR.mount_setattr, fd, '', flags, attribute, attribute.byteLength))

const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
export const AT_REMOVEDIR = 0x200
export const AT_EMPTY_PATH = 0x1000
export const AT_RECURSIVE = 0x8000
export const OPEN_TREE_CLONE = 1
const STATX_BASIC_STATS = 0x7ff

/** <linux/openat2.h> */
export const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8 } as const
/** <linux/mount.h>, MOUNT_ATTR_* */
export const MOUNT_ATTR = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  IDMAP: 0x10_0000,
  NOSYMFOLLOW: 0x20_0000,
} as const

/** <fcntl.h> */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EINVAL: 22,
  ENFILE: 23,
  EFBIG: 27,
  EROFS: 30,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  EPROTO: 71,
  EOPNOTSUPP: 95,
  ESTALE: 116,
} as const
