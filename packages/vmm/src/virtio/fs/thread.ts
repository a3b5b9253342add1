/** The main thread's end of a shared folder: opens it, and starts the thread that serves it. */
import { Worker } from 'node:worker_threads'
import type { Jail } from '../../jail/jail.ts'
import { ExitError, hostRefused } from '../../sys/exit-error.ts'
import { close } from '../../sys/libc.ts'
import { YOUNG_GENERATION_MIB } from '../../sys/thrift.ts'
import { workerReady } from '../../sys/worker-ready.ts'
import { workerUrl } from '../../sys/worker-url.ts'
import { createChannel, type FsChannel } from './channel.ts'
import { openFolder } from './open-folder.ts'
import { actAsOwner } from './owner-map.ts'
import type { FsWorkerData } from './worker.ts'

/** A folder of the host, as the command line gives it. */
export interface ShareOption {
  readonly path: string
  /** What the guest mounts it by. */
  readonly tag: string
  readonly writable: boolean
  /** User and group that everything belongs to in the guest. */
  readonly owner: number
}

/** For the thread that owns the device. */
export interface ShareHandle {
  readonly tag: string
  readonly channel: FsChannel
}

/** Resolves when the thread is confined and serves, which it does for as long as the process lives. Throws ExitError. */
export async function startShare(
  { path, tag, writable, owner }: ShareOption,
  jail: Jail,
): Promise<ShareHandle> {
  const fd = openFolder(path, writable, jail.hasEmptyRoot)
  if (writable && jail.uid !== undefined) await actAsOwner(fd, jail.uid)
  const confined = jail.threadWithFolder(fd, writable)
  const channel = createChannel()
  const workerData: FsWorkerData = { channel, folder: { fd, writable, owner }, jail: confined }
  const worker = new Worker(workerUrl(import.meta.url, 'fs-worker', './worker.ts'), {
    workerData,
    name: `share ${tag}`,
    trackUnmanagedFds: false,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  })
  await workerReady(worker).catch((error: Error) => {
    if (error instanceof ExitError) throw error
    throw hostRefused(`--share path=${path}: its thread did not start (${error.message})`, error)
  })
  if (confined?.ruleset !== undefined) close(confined.ruleset)
  // It answers whatever comes; should it die all the same, the guest would wait for ever.
  worker.once('error', (error) => {
    throw error
  })
  worker.unref()
  return { tag, channel }
}
