/** Which ring a file gets. */
import { SystemError } from '../sys/libc.ts'
import { BlockingRing } from './blocking-ring.ts'
import type { Ring, RingFiles } from './ring.ts'
import { type DiskThreadFile, ThreadRing } from './thread-ring.ts'
import { DiskRing } from './uring-ring.ts'

const parked = new Map<number, Ring>()
const served = new Map<number, DiskThreadFile>()

/** These files are served by a thread, because this host has no io_uring (`startDiskThread`). */
export function useDiskThread(files: readonly DiskThreadFile[]): void {
  for (const file of files) served.set(file.file, file)
}

/**
 * A ring over a file, which may be one that `parkRing` kept: the kernel's, or a thread's where the kernel has none for
 * us. Without either (tools and tests that start no thread) every operation holds the thread.
 */
export function takeRing(files: RingFiles, entries: number): Ring {
  const { fd } = files
  const kept = parked.get(fd)
  parked.delete(fd)
  if (kept !== undefined) return kept
  const thread = served.get(fd)
  if (thread !== undefined) return new ThreadRing(files, thread)
  try {
    return new DiskRing(files, entries)
  } catch (error) {
    if (error instanceof SystemError) return new BlockingRing(files, entries)
    throw error
  }
}

/**
 * Keeps an idle ring of a descriptor that outlives the machine, for the next machine on this thread: once the process
 * is jailed no new ring can be made, and after a reset the disk would hold the thread.
 */
export function parkRing(file: number, ring: Ring): void {
  parked.set(file, ring)
}

/** Whether the kernel gives this process an io_uring over `file`. */
export function hasUring(file: number): boolean {
  try {
    new DiskRing({ fd: file }, 1).close()
    return true
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  }
}
