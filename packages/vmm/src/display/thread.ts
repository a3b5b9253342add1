/** The main thread's end of the display thread. */
import { Worker } from 'node:worker_threads'
import type { LayoutName } from '@hearth/shared/keyboard-layouts'
import type { VmmViewer } from '@hearth/shared/vmm-control'
import type { ThreadJail } from '../jail/thread.ts'
import { type ExitCode, ExitError } from '../sys/exit-error.ts'
import { check, close, EFD, eventfdCreate } from '../sys/libc.ts'
import { workerUrl } from '../sys/worker-url.ts'
import { createAgentMemory } from '../vdagent/channel.ts'
import { allocateFrameBuffer } from './frame-buffer.ts'
import type {
  DisplayCommand,
  DisplayHandle,
  DisplayRequest,
  DisplayWorkerData,
  DisplayWorkerMessage,
} from './handle.ts'
import { InputRing } from './input-ring.ts'
import { createSurfaceMemory } from './surface.ts'

export interface DisplayThreadOptions {
  readonly path: string
  readonly name: string
  readonly layout: LayoutName
  /** Absent: one. */
  readonly screens?: number | undefined
  readonly jail?: ThreadJail | undefined
  /** One line for the log. */
  readonly warn: (text: string) => void
  /** Somebody came, went, or has keyboard and pointer now; or the guest's clipboard agent came or went. */
  readonly viewersChanged?: (viewers: readonly VmmViewer[], clipboard: boolean) => void
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** Outlives a reset of the machine: viewers stay connected and see the next one. */
export class DisplayThread {
  readonly handle: DisplayHandle
  private readonly worker: Worker
  private readonly exited: Promise<void>
  private readonly pending = new Map<number, Pending>()
  private nextId = 1

  private constructor(handle: DisplayHandle, worker: Worker) {
    this.handle = handle
    this.worker = worker
    this.exited = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.once('exit', () => {
      for (const { reject } of this.pending.values()) reject(new Error('the display is gone'))
      this.pending.clear()
    })
  }

  /** Resolves when viewers can connect. Throws ExitError when the socket cannot be made. */
  static async start(options: DisplayThreadOptions): Promise<DisplayThread> {
    const handle: DisplayHandle = {
      surface: createSurfaceMemory(),
      input: new InputRing().shared,
      agent: createAgentMemory(),
      frameBuffer: allocateFrameBuffer(),
      wakeFd: check('eventfd', eventfdCreate(0, EFD.CLOEXEC | EFD.NONBLOCK)),
      screens: options.screens ?? 1,
      layout: options.layout,
    }
    const workerData: DisplayWorkerData = {
      handle,
      path: options.path,
      name: options.name,
      jail: options.jail,
    }
    const url = workerUrl(import.meta.url, 'display-worker', '../display/worker.ts')
    const worker = new Worker(url, { workerData, name: 'display', trackUnmanagedFds: false })
    const thread = new DisplayThread(handle, worker)
    try {
      await new Promise<void>((resolve, reject) => {
        worker.on('message', (message: DisplayWorkerMessage) => {
          if (message.kind === 'listening') resolve()
          else if (message.kind === 'warning') options.warn(message.text)
          else if (message.kind === 'viewers') options.viewersChanged?.(message.viewers, message.clipboard)
          else if (message.kind === 'answer') thread.answered(message)
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

  /** Rejects with a sentence when the display thread refuses or is gone. */
  ask(request: DisplayRequest): Promise<unknown> {
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject })
      this.worker.postMessage({ kind: 'ask', id, request } satisfies DisplayCommand)
    })
  }

  private answered(message: Extract<DisplayWorkerMessage, { kind: 'answer' }>): void {
    const pending = this.pending.get(message.id)
    this.pending.delete(message.id)
    if (message.error === undefined) pending?.resolve(message.result)
    else pending?.reject(new Error(message.error))
  }

  /** After the machine has stopped: its devices use the eventfd. */
  async close(): Promise<void> {
    this.worker.postMessage({ kind: 'close' } satisfies DisplayCommand)
    await this.exited
    close(this.handle.wakeFd)
  }
}
