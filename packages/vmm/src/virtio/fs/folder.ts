/**
 * The shared folder as the host has it. Every path begins at the folder's own descriptor and is walked by the kernel
 * (openat2(2)) so that it cannot leave: not by `..`, not by a symbolic link, which is never followed anywhere in it,
 * and not into another file system that is mounted inside.
 */
import { close } from '../../sys/libc.ts'
import { S_IFDIR, S_IFREG, Stat } from './stat.ts'
import { ERRNO, O, openat2, RESOLVE } from './system.ts'

/** PATH_MAX, with the zero at the end. */
const PATH_BYTES = 4096
export const NAME_MAX = 255
const RESOLVE_FLAGS = RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS | RESOLVE.NO_SYMLINKS | RESOLVE.NO_XDEV
/** A rename elsewhere on the host may make the walk start over. */
const ATTEMPTS = 8
/** A descriptor never becomes the terminal, and never waits for the other end of a FIFO. */
const ALWAYS = O.CLOEXEC | O.NOCTTY | O.NOFOLLOW | O.NONBLOCK

export class SharedFolder {
  /** A descriptor of the folder; it stays the caller's. */
  readonly fd: number
  readonly writable: boolean
  /** Of what `locate` or `openFile` found last. */
  readonly stat = new Stat()
  private readonly path = Buffer.alloc(PATH_BYTES)
  /** struct open_how {u64 flags, mode, resolve} */
  private readonly how = new Uint32Array([0, 0, 0, 0, RESOLVE_FLAGS, 0])

  constructor(fd: number, writable: boolean) {
    this.fd = fd
    this.writable = writable
  }

  /** A descriptor that stands for what has this name, should it be a link as well, and `stat` of it. Or an errno negated. */
  locate(path: string): number {
    return this.looked(this.open(path, O.PATH | O.NOFOLLOW | O.CLOEXEC, 0))
  }

  /** The same of a folder, without `stat`. */
  locateFolder(path: string): number {
    return this.open(path, O.PATH | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC, 0)
  }

  /** Opens a folder to be listed. */
  openFolder(path: string): number {
    return this.open(path, O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0)
  }

  /** Opens a regular file, and nothing that is none: a device node would act on being opened. `stat` is of it. */
  openFile(path: string, flags: number, mode = 0): number {
    if ((flags & O.CREAT) === 0) {
      const found = this.locate(path)
      if (found < 0) return found
      close(found)
      if (this.stat.kind !== S_IFREG) return -ERRNO.EACCES
    }
    const fd = this.looked(this.open(path, flags | ALWAYS, mode))
    if (fd < 0 || this.stat.kind === S_IFREG) return fd
    close(fd)
    return -ERRNO.EACCES
  }

  /** Opens a regular file or a folder for what is done to either. */
  openEither(path: string): number {
    const found = this.locate(path)
    if (found < 0) return found
    close(found)
    if (this.stat.kind !== S_IFDIR) return this.openFile(path, O.RDONLY)
    return this.looked(this.openFolder(path))
  }

  private looked(fd: number): number {
    if (fd < 0) return fd
    const failed = this.stat.read(fd)
    if (failed >= 0) return fd
    close(fd)
    return failed
  }

  private open(path: string, flags: number, mode: number): number {
    if (path.length >= PATH_BYTES) return -ERRNO.ENAMETOOLONG
    this.path[this.path.write(path, 0, 'latin1')] = 0
    this.how[0] = flags
    this.how[2] = mode
    let fd = -ERRNO.EAGAIN
    for (let i = 0; i < ATTEMPTS && fd === -ERRNO.EAGAIN; i++) fd = openat2(this.fd, this.path, this.how)
    return fd
  }
}

/** One component of a path: the only form in which the guest may name anything. */
export function isName(name: string): boolean {
  return name.length > 0 && name.length <= NAME_MAX && name !== '.' && name !== '..' && !/[/\0]/.test(name)
}

/** For a system call. */
export const nameBytes = (name: string): Uint8Array => Buffer.from(`${name}\0`, 'latin1')
