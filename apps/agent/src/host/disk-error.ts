/** What the host's own disk refuses, in words that say what to do; whatever else went wrong is given back as it is. */
import { HearthError } from '@hearth/shared/errors'
import { isErrno } from '../store/atomic-file.ts'

export function isFull(error: unknown): boolean {
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return true
  // The host's tools say it in words.
  return error instanceof Error && /No space left on device/.test(error.message)
}

export function inWords(error: unknown): unknown {
  if (error instanceof HearthError || !(error instanceof Error)) return error
  const { code } = error as NodeJS.ErrnoException
  if (isFull(error))
    return new HearthError('no_space', 'The disk of this host is full. Delete something, then try again.', {
      log: error.message,
      cause: error,
    })
  if (code === 'EIO' || code === 'EROFS' || /Input\/output error|Read-only file system/.test(error.message))
    return new HearthError(
      'host_refused',
      'The disk of this host cannot be read or written. It may be failing: look at the log of the host (dmesg) and make sure of your backups.',
      { log: error.message, cause: error },
    )
  return error
}
