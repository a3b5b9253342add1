/** The process's threads, kept from machine to machine. */
import { Worker } from 'node:worker_threads'
import type { ThreadJail } from '../jail/thread.ts'
import { workerUrl } from '../sys/worker-url.ts'

export interface MachineWorkers {
  readonly io: Worker
  /** One per vCPU. */
  readonly vcpus: readonly Worker[]
}

/** Starts loading all of them at once. */
export function startWorkers(cpus: number, jail?: ThreadJail): MachineWorkers {
  const start = (name: string, bundled: string, source: string): Worker =>
    new Worker(workerUrl(import.meta.url, bundled, source), {
      name,
      workerData: jail,
      trackUnmanagedFds: false,
    })
  return {
    io: start('io', 'io-worker', '../io/worker.ts'),
    vcpus: Array.from({ length: cpus }, (_, cpu) => start(`vcpu-${cpu}`, 'vcpu-worker', '../vcpu/worker.ts')),
  }
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
