/** The main thread's end of the I/O thread, for one machine. */
import type { Worker } from 'node:worker_threads'
import type { DevicesState } from '@hearth/shared/vm-snapshot'
import type { VmmCounters } from '@hearth/shared/vmm-control'
import {
  BALLOON_WORD,
  IO_COMMAND,
  type IoWorkerData,
  type IoWorkerMessage,
  PAUSED_WORD,
} from '../io/worker-protocol.ts'
import { write } from '../sys/libc.ts'
import { listenToWorker } from './workers.ts'

const MIB = 1024 * 1024
const ONE = new BigUint64Array([1n])

export interface FrozenDevices {
  readonly state: DevicesState
  /** Pages the devices wrote since they froze last with `track`; undefined when they did not. */
  readonly written: Uint8Array | undefined
}

export class IoThread {
  /**
   * Resolves when all devices are plugged in, with a line for people when the state to restore does not fit them.
   * Never rejects: a failure goes to `failed`.
   */
  readonly ready: Promise<string | undefined>
  private readonly data: IoWorkerData
  /** Resolves when the thread has left the machine, or died. */
  private readonly left: Promise<void>
  private counting: PromiseWithResolvers<VmmCounters> | undefined
  private frozen: PromiseWithResolvers<FrozenDevices> | undefined

  constructor(
    worker: Worker,
    data: IoWorkerData,
    onMessage: (message: IoWorkerMessage) => void,
    failed: (error: Error) => void,
  ) {
    this.data = data
    const ready = Promise.withResolvers<string | undefined>()
    const left = Promise.withResolvers<void>()
    const ear = listenToWorker<IoWorkerMessage>(
      worker,
      (message) => {
        if (message.kind === 'ready') ready.resolve(undefined)
        else if (message.kind === 'refused') ready.resolve(message.text)
        else if (message.kind === 'frozen') this.frozen?.resolve(message)
        else if (message.kind === 'not-saved') this.frozen?.reject(new Error(message.text))
        else if (message.kind === 'counters') {
          this.counting?.resolve(message.counters)
          this.counting = undefined
        } else if (message.kind === 'stopped') left.resolve()
        else onMessage(message)
      },
      (error) => {
        failed(error)
        this.frozen?.reject(error)
        this.counting?.reject(error)
        ready.resolve(undefined)
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

  /**
   * The state of all devices, which then stand still until `thaw` and with `track` note what they write from then on; only while no vCPU runs. Rejects with a line for
   * people when one of them cannot be saved; `thaw` is needed then as well.
   */
  freeze(track: boolean): Promise<FrozenDevices> {
    const frozen = Promise.withResolvers<FrozenDevices>()
    this.frozen = frozen
    this.command(IO_COMMAND.freeze | (track ? IO_COMMAND.track : 0))
    return frozen.promise
  }

  thaw(): void {
    this.command(IO_COMMAND.thaw)
  }

  /** What the devices did so far; several callers at once share one answer. */
  counters(): Promise<VmmCounters> {
    if (!this.counting) {
      this.counting = Promise.withResolvers()
      // Whoever asked may be gone when the machine ends without an answer.
      this.counting.promise.catch(() => undefined)
      this.command(IO_COMMAND.count)
    }
    return this.counting.promise
  }

  /** Asks the guest for so many bytes of its memory. */
  setBalloon(bytes: number): void {
    Atomics.store(new Int32Array(this.data.commands), BALLOON_WORD, Math.floor(bytes / MIB))
    this.command(IO_COMMAND.balloon)
  }

  /** Whether the vCPUs stand still: what the guest has to do in time waits. */
  setPaused(paused: boolean): void {
    Atomics.store(new Int32Array(this.data.commands), PAUSED_WORD, paused ? 1 : 0)
    this.command(IO_COMMAND.clock)
  }

  /** Twice, `CALM_MS` apart: it then tidies up, if it has little to do. */
  tidy(): void {
    this.command(IO_COMMAND.tidy)
  }

  /** Only after the vCPUs have stopped: they wait for its answers. */
  async stop(): Promise<void> {
    this.command(IO_COMMAND.stop)
    await this.left
    this.counting?.reject(new Error('the machine has ended'))
  }

  private command(bit: number): void {
    const commands = new Int32Array(this.data.commands)
    Atomics.or(commands, 0, bit)
    Atomics.notify(commands, 0)
    write(this.data.commandFd, ONE, 8)
  }
}
