/**
 * Numbers of the FUSE protocol by their names in <linux/fuse.h> (version 7.31), which virtio-fs carries (VIRTIO 1.2,
 * section 5.11.6). All fields are little endian; offsets of arguments count from the end of `fuse_in_header`.
 */

export const FUSE_KERNEL_VERSION = 7
export const FUSE_KERNEL_MINOR_VERSION = 31
/** Of the folder itself. */
export const FUSE_ROOT_ID = 1

export const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  RENAME2: 45,
} as const

/** What gets no answer: the driver gives it no room for one. */
export const isUnanswered = (opcode: number): boolean =>
  opcode === OPCODE.FORGET || opcode === OPCODE.BATCH_FORGET || opcode === OPCODE.INTERRUPT

/** struct fuse_in_header. */
export const IN_HEADER_BYTES = 40
export const IN_HEADER = { length: 0, opcode: 4, unique: 8, node: 16 } as const
/** struct fuse_out_header. */
export const OUT_HEADER_BYTES = 16
export const OUT_HEADER = { length: 0, error: 4, unique: 8 } as const

/** struct fuse_write_in and fuse_read_in: what comes before a write's data. */
export const TRANSFER_BYTES = 40
export const TRANSFER = { handle: 0, offset: 8, size: 16 } as const

export const ATTR_BYTES = 88
export const ENTRY_OUT_BYTES = 40 + ATTR_BYTES
export const ATTR_OUT_BYTES = 16 + ATTR_BYTES
export const OPEN_OUT_BYTES = 16
export const INIT_OUT_BYTES = 64
export const WRITE_OUT_BYTES = 8
export const STATFS_OUT_BYTES = 80
/** struct fuse_dirent before its name. */
export const DIRENT_BYTES = 24

/** fuse_init_in.flags. */
export const FUSE = {
  ASYNC_READ: 1 << 0,
  ATOMIC_O_TRUNC: 1 << 3,
  BIG_WRITES: 1 << 5,
  AUTO_INVAL_DATA: 1 << 12,
  PARALLEL_DIROPS: 1 << 18,
  HANDLE_KILLPRIV: 1 << 19,
  MAX_PAGES: 1 << 22,
} as const

/** fuse_setattr_in.valid. */
export const FATTR = {
  MODE: 1,
  UID: 2,
  GID: 4,
  SIZE: 8,
  ATIME: 16,
  MTIME: 32,
  FH: 64,
  ATIME_NOW: 128,
  MTIME_NOW: 256,
} as const

export const FUSE_GETATTR_FH = 1
export const FUSE_FSYNC_FDATASYNC = 1

/** What one transfer of data has at most, in pages of 4 KiB: what fits a chain beside the headers. */
export const MAX_PAGES = 128
export const MAX_TRANSFER = MAX_PAGES * 4096
