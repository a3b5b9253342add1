/** The main thread's end of the display thread. */
import { Worker } from 'node:worker_threads'
import { type ExitCode, ExitError } from '../sys/exit-error.ts'
import { check, close, EFD, eventfdCreate } from '../sys/libc.ts'
import { workerUrl } from '../sys/worker-url.ts'
import type { LayoutName } from '../virtio/input/layouts.ts'
import type { DisplayHandle, DisplayWorkerData, DisplayWorkerMessage } from './handle.ts'
import { InputRing } from './input-ring.ts'
import { createSurfaceMemory } from './surface.ts'

export interface DisplayThreadOptions {
  readonly path: string
  readonly name: string
  readonly layout: LayoutName
  /** One line for the log. */
  readonly warn: (text: string) => void
}

/** Outlives a reset of the machine: viewers stay connected and see the next one. */
export class DisplayThread {
  readonly handle: DisplayHandle
  private readonly worker: Worker
  private readonly exited: Promise<void>

  private constructor(handle: DisplayHandle, worker: Worker) {
    this.handle = handle
    this.worker = worker
    this.exited = new Promise((resolve) => worker.once('exit', () => resolve()))
  }

  /** Resolves when viewers can connect. Throws ExitError when the socket cannot be made. */
  static async start(options: DisplayThreadOptions): Promise<DisplayThread> {
    const handle: DisplayHandle = {
      surface: createSurfaceMemory(),
      input: new InputRing().shared,
      wakeFd: check('eventfd', eventfdCreate(0, EFD.CLOEXEC | EFD.NONBLOCK)),
      layout: options.layout,
    }
    const workerData: DisplayWorkerData = { handle, path: options.path, name: options.name }
    const url = workerUrl(import.meta.url, 'display-worker', '../display/worker.ts')
    const worker = new Worker(url, { workerData, name: 'display', trackUnmanagedFds: false })
    const thread = new DisplayThread(handle, worker)
    try {
      await new Promise<void>((resolve, reject) => {
        worker.on('message', (message: DisplayWorkerMessage) => {
          if (message.kind === 'listening') resolve()
          else if (message.kind === 'warning') options.warn(message.text)
          else if (message.kind === 'refused') {
            reject(new ExitError(message.exitCode as ExitCode, message.text))
          }
        })
        // After the start: the VM goes on without its display rather than ending with it.
        worker.on('error', (error: Error) => {
          options.warn(`the display failed and is gone: ${error.stack ?? error.message}`)
          reject(error)
        })
      })
    } catch (error) {
      await worker.terminate()
      close(handle.wakeFd)
      throw error
    }
    return thread
  }

  /** After the machine has stopped: its devices use the eventfd. */
  async close(): Promise<void> {
    this.worker.postMessage('close')
    await this.exited
    close(this.handle.wakeFd)
  }
}
