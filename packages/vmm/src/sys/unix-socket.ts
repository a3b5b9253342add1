/** Listening unix sockets as descriptors, for threads that do not run Node's event loop. */
import { existsSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { hostRefused, usageError } from './exit-error.ts'
import * as libc from './libc.ts'
import { clearStale } from './unix-listener.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
/** struct sockaddr_un: u16 family, char path[108]. */
const PATH_BYTES = 108
const BACKLOG = 8

/** `path` has been checked to fit. */
export function unixAddress(path: string): Uint8Array {
  const address = new Uint8Array(2 + PATH_BYTES)
  address[0] = AF_UNIX
  address.set(new TextEncoder().encode(path), 2)
  return address
}

/**
 * Listens at `path` as `listenUnix` does; the non-blocking descriptor is the caller's. Throws ExitError, which names
 * `option`.
 */
export async function listenUnixFd(option: string, path: string): Promise<number> {
  await clearStale(option, path)
  const fd = libc.check('socket', libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
  const address = unixAddress(path)
  // The socket is never visible to others.
  const mask = libc.umask(0o177)
  try {
    libc.check('bind', libc.bind(fd, address, address.length))
    libc.check('listen', libc.listen(fd, BACKLOG))
    return fd
  } catch (error) {
    libc.close(fd)
    if (!existsSync(dirname(path))) throw usageError(`--${option} ${path}: its folder does not exist`)
    throw hostRefused(`--${option} ${path}: the socket cannot be made (${(error as Error).message})`, error)
  } finally {
    libc.umask(mask)
  }
}

/** At the end of a process; in a jail the path means nothing any more, and whoever made the jail removes it. */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone, or not to be reached.
  }
}
