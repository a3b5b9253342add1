/** The I/O thread. It serves one machine after the other, for the reason told in vcpu/worker.ts. */
import { parentPort } from 'node:worker_threads'
import { serveMachine } from './serve-machine.ts'
import type { IoWorkerData, IoWorkerMessage } from './worker-protocol.ts'

const tell = (message: IoWorkerMessage): void => parentPort!.postMessage(message)

parentPort!.on('message', (data: IoWorkerData) => {
  serveMachine(data, tell)
  tell({ kind: 'stopped' })
})
