/** The thread of one vCPU. It loads, says so, waits for the command to run, and ends with the vCPU. */
import { parentPort, workerData } from 'node:worker_threads'
import { Uart, type UartHandle } from '../chipset/uart.ts'
import { MailboxClient } from '../io/mailbox.ts'
import { gettid } from '../sys/libc.ts'
import { STRIDE, TID } from './control.ts'
import { runVcpu, type VcpuEnd } from './run-loop.ts'

export interface VcpuWorkerData {
  readonly cpu: number
  readonly fd: number
  readonly runAddress: number
  readonly runSize: number
  readonly control: SharedArrayBuffer
  readonly busWakeFd: number
  readonly uart: UartHandle
}

/** Sent once, when the vCPU has ended. */
export interface VcpuWorkerMessage {
  readonly end: VcpuEnd
}

const data = workerData as VcpuWorkerData
const words = new Int32Array(data.control)
Atomics.store(words, data.cpu * STRIDE + TID, gettid())
const end = runVcpu({
  ...data,
  mailbox: new MailboxClient(data.control, data.cpu, data.busWakeFd),
  uart: new Uart(data.uart),
})
parentPort!.postMessage({ end } satisfies VcpuWorkerMessage)
