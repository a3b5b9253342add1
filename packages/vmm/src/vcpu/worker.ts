/**
 * The thread of one vCPU. It serves one machine after the other, because a thread that ends leaves memory of the
 * foreign function library behind, and a guest may reset as often as it likes.
 */
import { parentPort } from 'node:worker_threads'
import { Uart, type UartHandle } from '../chipset/uart.ts'
import { MailboxClient } from '../io/mailbox.ts'
import { serveMessages } from '../machine/worker-start.ts'
import { gettid } from '../sys/libc.ts'
import { tidyUp } from '../sys/thrift.ts'
import { STRIDE, TID } from './control.ts'
import { runVcpu, type VcpuEnd } from './run-loop.ts'

/** Sent to the thread for each machine: it then waits for the command to run. */
export interface VcpuWorkerData {
  readonly cpu: number
  readonly fd: number
  readonly runAddress: number
  readonly runSize: number
  readonly control: SharedArrayBuffer
  readonly busWakeFd: number
  readonly uart: UartHandle
}

/** Sent back once for each machine, when its vCPU has ended; the thread touches nothing of it any more. */
export interface VcpuWorkerMessage {
  readonly end: VcpuEnd
}

serveMessages((data: VcpuWorkerData) => {
  Atomics.store(new Int32Array(data.control), data.cpu * STRIDE + TID, gettid())
  const end = runVcpu({
    ...data,
    mailbox: new MailboxClient(data.control, data.cpu, data.busWakeFd),
    uart: new Uart(data.uart),
    // The first vCPU brings the others up some time later.
    tidy: tidyUp,
    beforeFirstRun: data.cpu === 0 ? undefined : tidyUp,
  })
  parentPort!.postMessage({ end } satisfies VcpuWorkerMessage)
})
