/** A listening unix socket that only its owner may connect to. */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { hostRefused, usageError } from './exit-error.ts'
import { umask } from './libc.ts'

/**
 * Listens at `path`, mode 0600. A socket nobody listens on (left by a process that was killed) is replaced; one
 * that is in use, or another kind of file, is refused. `option` names the command line option in messages.
 */
export async function listenUnix(
  option: string,
  path: string,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  await clearStale(option, path)
  const server = createServer({ noDelay: true }, onConnection)
  // The socket is never visible to others, not even until chmod.
  const mask = umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw hostRefused(`--${option} ${path}: another process uses this socket`)
    // libuv reports a missing folder as EACCES.
    if (!existsSync(dirname(path))) throw usageError(`--${option} ${path}: its folder does not exist`)
    if (code === 'EACCES') throw hostRefused(`--${option} ${path}: no permission to make a socket there`)
    throw hostRefused(`--${option} ${path}: the socket cannot be made (${code})`, error)
  } finally {
    umask(mask)
  }
  chmodSync(path, 0o600)
  return server
}

/** Removes a socket nobody listens on. Throws ExitError when somebody does, or it is something else. */
export async function clearStale(option: string, path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isSocket()) throw usageError(`--${option} ${path}: there is already a file that is not a socket`)
  const inUse = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (inUse) throw hostRefused(`--${option} ${path}: another process uses this socket`)
  unlinkSync(path)
}
