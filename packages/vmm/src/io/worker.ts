/** The I/O thread. It serves one machine after the other, for the reason told in vcpu/worker.ts. */
import { parentPort } from 'node:worker_threads'
import { serveMessages } from '../machine/worker-start.ts'
import { serveMachine } from './serve-machine.ts'
import type { IoWorkerData, IoWorkerMessage } from './worker-protocol.ts'

const tell = (message: IoWorkerMessage): void => parentPort!.postMessage(message)

serveMessages((data: IoWorkerData) => {
  serveMachine(data, tell)
  tell({ kind: 'stopped' })
})
