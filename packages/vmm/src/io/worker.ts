/** The I/O thread. It serves one machine after the other, for the reason told in vcpu/worker.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { enterThreadJail, type ThreadJail } from '../jail/thread.ts'
import { serveMachine } from './serve-machine.ts'
import type { IoWorkerData, IoWorkerMessage } from './worker-protocol.ts'

const tell = (message: IoWorkerMessage): void => parentPort!.postMessage(message)

// All code is loaded, and everything this thread works on is opened by others.
enterThreadJail(workerData as ThreadJail | undefined)

parentPort!.on('message', (data: IoWorkerData) => {
  serveMachine(data, tell)
  tell({ kind: 'stopped' })
})
