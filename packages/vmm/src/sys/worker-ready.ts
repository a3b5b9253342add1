import type { Worker } from 'node:worker_threads'

/** Resolves with the first message of a worker, which says that it has loaded; rejects when it dies before. */
export function workerReady(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => {
      worker.off('error', reject)
      resolve()
    })
    worker.once('error', reject)
  })
}
