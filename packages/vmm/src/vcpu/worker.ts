/**
 * The thread of one vCPU. It serves one machine after the other, because a thread that ends leaves memory of the
 * foreign function library behind, and a guest may reset as often as it likes.
 */
import { parentPort } from 'node:worker_threads'
import { Uart, type UartHandle } from '../chipset/uart.ts'
import { type HvtDevice, Hypercalls } from '../hvt/hypercalls.ts'
import { MailboxClient } from '../io/mailbox.ts'
import { serveMessages } from '../machine/worker-start.ts'
import { GuestMemory, type GuestRegion } from '../memory/guest-memory.ts'
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
  /** A Solo5 unikernel's disks and networks, by handle. */
  readonly hvt?:
    | { readonly regions: readonly GuestRegion[]; readonly devices: readonly (HvtDevice | undefined)[] }
    | undefined
}

/** Sent back once for each machine, when its vCPU has ended; the thread touches nothing of it any more. */
export interface VcpuWorkerMessage {
  readonly end: VcpuEnd
}

serveMessages((data: VcpuWorkerData) => {
  Atomics.store(new Int32Array(data.control), data.cpu * STRIDE + TID, gettid())
  const uart = new Uart(data.uart)
  const { hvt } = data
  const hypercalls =
    hvt && new Hypercalls({ memory: new GuestMemory(hvt.regions), uart, devices: hvt.devices })
  const end = runVcpu({
    ...data,
    mailbox: new MailboxClient(data.control, data.cpu, data.busWakeFd),
    uart,
    hypercalls,
    // The first vCPU brings the others up some time later.
    tidy: tidyUp,
    beforeFirstRun: data.cpu === 0 ? undefined : tidyUp,
  })
  hypercalls?.close()
  parentPort!.postMessage({ end } satisfies VcpuWorkerMessage)
})
