/**
 * A kernel or initrd file, read piecewise straight into guest memory. The file may be anything and may even
 * shrink while it is read: a short read is an error, never silence.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { usageError } from '../sys/exit-error.ts'

export interface ImageFile {
  /** As the person typed it, for messages. */
  readonly path: string
  readonly size: number
  /** Fills `target` from `position`; throws BootError when the file ends before. */
  read(target: Uint8Array, position: number): void
  close(): void
}

/** Why a file cannot be booted. The message names the file and says what is wrong with it. */
export class BootError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BootError'
  }
}

/** Opens a regular file; exit code 1 when there is none, because the command line names it. */
export function openImageFile(path: string, option: string): ImageFile {
  let fd: number
  try {
    // Not blocking: a FIFO in its place would hold the thread until somebody writes to it.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw usageError(`${option} ${path}: there is no such file`)
    if (code === 'EACCES' || code === 'EPERM') throw usageError(`${option} ${path}: no permission to read it`)
    throw usageError(`${option} ${path}: it does not open (${code ?? (error as Error).message})`)
  }
  const stat = fstatSync(fd)
  if (!stat.isFile()) {
    closeSync(fd)
    throw usageError(`${option} ${path}: this is not a regular file`)
  }
  return {
    path,
    size: stat.size,
    read(target, position) {
      // One read moves at most 2 GiB.
      for (let done = 0; done < target.length; ) {
        const count = readSync(fd, target, done, Math.min(target.length - done, 1 << 30), position + done)
        if (count === 0) throw new BootError(`${path} is truncated: it ends at byte ${position + done}`)
        done += count
      }
    },
    close: () => closeSync(fd),
  }
}

/** An image in memory. */
export function imageOfBytes(bytes: Uint8Array, path = 'image'): ImageFile {
  return {
    path,
    size: bytes.length,
    read(target, position) {
      if (position + target.length > bytes.length) {
        throw new BootError(`${path} is truncated: it ends at byte ${bytes.length}`)
      }
      target.set(bytes.subarray(position, position + target.length))
    },
    close() {},
  }
}
