/** Opens the folder that is to be shared, before the jail takes its name away. */
import { hostRefused } from '../../sys/exit-error.ts'
import { close, O as FLAGS, open } from '../../sys/libc.ts'
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  ERRNO,
  MOUNT_ATTR,
  mountSetattr,
  O,
  OPEN_TREE_CLONE,
  openTree,
} from './system.ts'

/**
 * A descriptor of the folder; the process keeps it for life. Where this process may make mounts it is a mount of its
 * own that hangs nowhere: it has no parent folder to go to, obeys neither set-uid bits nor device nodes nor links, and
 * is read-only for everybody in this process unless `writable`. `mustBeDetached`: else it is refused. Throws ExitError.
 */
export function openFolder(path: string, writable: boolean, mustBeDetached: boolean): number {
  const plain = open(path, O.PATH | O.DIRECTORY | FLAGS.CLOEXEC, 0)
  if (plain < 0) {
    throw hostRefused(
      `--share path=${path}: there is no such folder, or this user may not enter it; give one that exists`,
    )
  }
  const mount = detachedMount(path, writable)
  if (mount >= 0) {
    close(plain)
    return mount
  }
  if (!mustBeDetached) return plain
  throw hostRefused(
    `--share path=${path}: this host's kernel does not give the folder as a mount of its own (errno ${-mount}); Linux 5.12 is needed`,
  )
}

function detachedMount(path: string, writable: boolean): number {
  const flags = OPEN_TREE_CLONE | FLAGS.CLOEXEC
  let fd = openTree(path, flags)
  // In a user namespace what is mounted inside cannot be left away; no walk goes into it (RESOLVE_NO_XDEV).
  if (fd === -ERRNO.EINVAL) fd = openTree(path, flags | AT_RECURSIVE)
  if (fd < 0) return fd
  const set =
    MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOSYMFOLLOW | (writable ? 0 : MOUNT_ATTR.RDONLY)
  const failed = mountSetattr(fd, AT_EMPTY_PATH | AT_RECURSIVE, new BigUint64Array([BigInt(set), 0n, 0n, 0n]))
  if (failed >= 0) return fd
  close(fd)
  return failed
}
