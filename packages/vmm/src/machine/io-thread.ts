/** The main thread's end of the I/O thread, for one machine. */
import type { Worker } from 'node:worker_threads'
import { IO_COMMAND, type IoWorkerData, type IoWorkerMessage } from '../io/worker-protocol.ts'
import { write } from '../sys/libc.ts'
import { listenToWorker } from './workers.ts'

const ONE = new BigUint64Array([1n])

export class IoThread {
  /** Resolves when all devices are plugged in. Never rejects: a failure goes to `failed`. */
  readonly ready: Promise<void>
  private readonly data: IoWorkerData
  /** Resolves when the thread has left the machine, or died. */
  private readonly left: Promise<void>

  constructor(
    worker: Worker,
    data: IoWorkerData,
    onMessage: (message: IoWorkerMessage) => void,
    failed: (error: Error) => void,
  ) {
    this.data = data
    const ready = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    const ear = listenToWorker<IoWorkerMessage>(
      worker,
      (message) => {
        if (message.kind === 'ready') ready.resolve()
        else if (message.kind === 'stopped') left.resolve()
        else onMessage(message)
      },
      (error) => {
        failed(error)
        ready.resolve()
        left.resolve()
      },
    )
    this.ready = ready.promise
    this.left = left.promise.then(() => ear.release())
    worker.postMessage(data)
  }

  pressPowerButton(): void {
    this.command(IO_COMMAND.powerButton)
  }

  /** Only after the vCPUs have stopped: they wait for its answers. */
  async stop(): Promise<void> {
    this.command(IO_COMMAND.stop)
    await this.left
  }

  private command(bit: number): void {
    Atomics.or(new Int32Array(this.data.commands), 0, bit)
    write(this.data.commandFd, ONE, 8)
  }
}
