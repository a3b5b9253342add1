/** The process's threads, kept from machine to machine. */
import { Worker } from 'node:worker_threads'
import type { ThreadJail } from '../jail/thread.ts'
import { YOUNG_GENERATION_MIB } from '../sys/thrift.ts'
import { workerReady } from '../sys/worker-ready.ts'
import { workerUrl } from '../sys/worker-url.ts'

export interface MachineWorkers {
  readonly io: Worker
  /** One per vCPU. */
  readonly vcpus: readonly Worker[]
}

/** The first message to every worker, before any machine. */
export interface WorkerJail {
  /** Undefined without a jail. */
  readonly jail: ThreadJail | undefined
}

/** What a worker started before it is needed says once, when all its code is loaded. */
export const LOADED = 'loaded'

export interface WorkerData {
  /** Nobody waits for it yet: it has time to clean up, and says `LOADED`. */
  readonly early: boolean
}

/**
 * Starts loading all of them at once, but for those of `early`, which need only be told of the jail.
 */
export function startWorkers(
  cpus: number,
  jail: ThreadJail | undefined,
  early?: MachineWorkers,
): MachineWorkers {
  // Every worker's output goes to these and listens for their errors; Node takes more than ten for a leak, and says so.
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0)
  const missing = Array.from({ length: cpus }, (_, cpu) => early?.vcpus[cpu] ?? startVcpuWorker(cpu, false))
  const workers = { io: early?.io ?? startIoWorker(false), vcpus: missing }
  for (const worker of [workers.io, ...workers.vcpus]) worker.postMessage({ jail } satisfies WorkerJail)
  return workers
}

/** The I/O thread and the first vCPU's, loaded when this resolves: every VM has these. */
export async function startEarly(): Promise<MachineWorkers> {
  const workers = { io: startIoWorker(true), vcpus: [startVcpuWorker(0, true)] }
  await Promise.all([workers.io, ...workers.vcpus].map(workerReady))
  return workers
}

const startIoWorker = (early: boolean): Worker => start('io', 'io-worker', '../io/worker.ts', early)
const startVcpuWorker = (cpu: number, early: boolean): Worker =>
  start(`vcpu-${cpu}`, 'vcpu-worker', '../vcpu/worker.ts', early)

function start(name: string, bundled: string, source: string, early: boolean): Worker {
  return new Worker(workerUrl(import.meta.url, bundled, source), {
    name,
    workerData: { early } satisfies WorkerData,
    trackUnmanagedFds: false,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  })
}

/**
 * Gives one machine the ear of a worker. `failed` is called when the thread dies; `release` ends both, and must be
 * called before the next machine listens.
 */
export function listenToWorker<T>(
  worker: Worker,
  onMessage: (message: T) => void,
  failed: (error: Error) => void,
): { release(): void } {
  const onError = (error: unknown): void => failed(error as Error)
  const onExit = (code: number): void => failed(new Error(`it ended with code ${code}`))
  worker.on('message', onMessage)
  worker.on('error', onError)
  worker.on('exit', onExit)
  return {
    release() {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
    },
  }
}
