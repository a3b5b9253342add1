/** The state folder: its rooms, who may read them, and the promise that one Hearth at a time uses it. */
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, realpath, statfs, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { formatBytes, GIB } from '@hearth/shared/units'
import { Trouble } from '../lib/steps.ts'

export interface State {
  readonly directory: string
  readonly portal: string
  readonly images: string
  readonly agent: string
  readonly lab: string
  readonly secrets: string
  readonly logs: string
}

const LEAST_FREE_BYTES = 4 * GIB

export function stateRooms(directory: string): State {
  return {
    directory,
    portal: path.join(directory, 'portal'),
    images: path.join(directory, 'images'),
    agent: path.join(directory, 'agent'),
    lab: path.join(directory, 'lab'),
    secrets: path.join(directory, 'secrets'),
    logs: path.join(directory, 'logs'),
  }
}

export async function openState(directory: string): Promise<State> {
  const rooms = stateRooms(directory)
  try {
    for (const room of Object.values(rooms)) await mkdir(room, { recursive: true })
    await chmod(rooms.secrets, 0o700)
    await chmod(rooms.portal, 0o700)
    const probe = path.join(directory, '.writable')
    await (await open(probe, 'w')).close()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC')
      throw new Trouble(
        `The disk that holds ${directory} is full: free some space, or give another folder with --state DIR.`,
      )
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new Trouble(
        `No permission to write in ${directory}: run as root, or give a folder of your own with --state DIR.`,
      )
    }
    throw new Trouble(
      `The state folder ${directory} can't be used (${(error as Error).message}): give another with --state DIR.`,
    )
  }
  const disk = await statfs(directory)
  const free = disk.bavail * disk.bsize
  if (free < LEAST_FREE_BYTES) {
    throw new Trouble(
      `The disk that holds ${directory} has ${formatBytes(free)} free; images and VM disks need at least ${formatBytes(LEAST_FREE_BYTES)}. Free some space, or give another folder with --state DIR.`,
    )
  }
  return rooms
}

/**
 * Takes the state folder for this process. The lock is an abstract unix socket: the kernel gives it back when
 * the process ends, however it ends, so no stale lock is ever left.
 */
export async function lockState(state: State): Promise<void> {
  const name = createHash('sha256')
    .update(await realpath(state.directory))
    .digest('hex')
    .slice(0, 32)
  const server = net.createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Trouble(
              `Another Hearth is running with the state folder ${state.directory}. Stop it first, or give this one a folder of its own with --state DIR.`,
            )
          : error,
      )
    })
    server.listen(`\0hearth-state-${name}`, resolve)
  })
  server.unref()
}

/** The path of a secret token in the state folder, made on first use; mode 0600. */
export async function secretFile(state: State, name: string): Promise<string> {
  const file = path.join(state.secrets, name)
  try {
    await writeFile(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return file
}

export async function readSecret(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim()
}
