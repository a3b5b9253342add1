/** The main thread's end of the I/O worker. */
import { Worker } from 'node:worker_threads'
import { IO_COMMAND, type IoWorkerData, type IoWorkerMessage } from '../io/worker-protocol.ts'
import { write } from '../sys/libc.ts'
import { workerUrl } from '../sys/worker-url.ts'

const ONE = new BigUint64Array([1n])

export class IoThread {
  /** Resolves when all devices are plugged in. Never rejects: a failure goes to `failed`. */
  readonly ready: Promise<void>
  private readonly data: IoWorkerData
  private readonly exited: Promise<void>

  constructor(
    data: IoWorkerData,
    onMessage: (message: IoWorkerMessage) => void,
    failed: (error: Error) => void,
  ) {
    this.data = data
    const url = workerUrl(import.meta.url, 'io-worker', '../io/worker.ts')
    const worker = new Worker(url, { workerData: data, name: 'io', trackUnmanagedFds: false })
    let stopping = false
    this.ready = new Promise((resolve) => {
      worker.on('message', (message: IoWorkerMessage) => {
        if (message.kind === 'ready') resolve()
        else onMessage(message)
      })
      worker.on('error', (error) => {
        stopping = true
        failed(error as Error)
        resolve()
      })
    })
    this.exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        if (!stopping && code !== 0) failed(new Error(`the I/O thread ended with code ${code}`))
        resolve()
      })
    })
  }

  pressPowerButton(): void {
    this.command(IO_COMMAND.powerButton)
  }

  /** Only after the vCPUs have stopped: they wait for its answers. */
  async stop(): Promise<void> {
    this.command(IO_COMMAND.stop)
    await this.exited
  }

  private command(bit: number): void {
    Atomics.or(new Int32Array(this.data.commands), 0, bit)
    write(this.data.commandFd, ONE, 8)
  }
}
