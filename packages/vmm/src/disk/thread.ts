/** Starts the thread that does disks' work where the kernel has no io_uring for us. */
import { Worker } from 'node:worker_threads'
import type { ThreadJail } from '../jail/thread.ts'
import { YOUNG_GENERATION_MIB } from '../sys/thrift.ts'
import { workerReady } from '../sys/worker-ready.ts'
import { workerUrl } from '../sys/worker-url.ts'
import { hasUring } from './rings.ts'
import { createThreadFile, type DiskThreadFile } from './thread-ring.ts'
import type { DiskThreadData } from './thread-worker.ts'

/** Descriptors of a disk. */
interface DiskFiles {
  readonly fd: number
  readonly baseFds?: readonly number[] | undefined
}

/**
 * Where this process has no io_uring for disks: starts the thread, and resolves when it is confined and serves, which it
 * does for as long as the process lives. The answer is for `useDiskThread`, on the thread that owns the disks; none when
 * no thread is needed.
 */
export async function startDiskThread(
  disks: readonly DiskFiles[],
  jail: ThreadJail | undefined,
): Promise<readonly DiskThreadFile[]> {
  const fds = disks.flatMap(({ fd, baseFds = [] }) => [fd, ...baseFds])
  // The variable is for trying it out.
  if (fds.length === 0 || (process.env.HEARTH_DISK_THREAD !== '1' && hasUring(fds[0]!))) return []
  const bell = new SharedArrayBuffer(4)
  const files = fds.map((fd) => createThreadFile(fd, bell))
  const worker = new Worker(workerUrl(import.meta.url, 'disk-worker', './thread-worker.ts'), {
    workerData: { files, bell, jail } satisfies DiskThreadData,
    name: 'disks',
    trackUnmanagedFds: false,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  })
  await workerReady(worker)
  // Without it the guest would wait for ever.
  worker.once('error', (error) => {
    throw error
  })
  worker.unref()
  return files
}
