/** How a worker begins: it may be early, then it is told of its jail, and serves machines from there on. */
import { parentPort, workerData } from 'node:worker_threads'
import { enterThreadJail } from '../jail/thread.ts'
import { tidyUp } from '../sys/thrift.ts'
import { LOADED, type WorkerData, type WorkerJail } from './workers.ts'

/** Calls `serve` with every message but the first one. All code has to be loaded, for the jail has no files. */
export function serveMessages<T extends object>(serve: (message: T) => void): void {
  parentPort!.on('message', (message: WorkerJail | T) => {
    if ('jail' in message) enterThreadJail(message.jail)
    else serve(message)
  })
  if (!(workerData as WorkerData).early) return
  tidyUp()
  parentPort!.postMessage(LOADED)
}
