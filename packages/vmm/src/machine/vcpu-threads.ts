/** The vCPU threads of one machine: started together, told to run, pause or stop, and joined. */
import type { Worker } from 'node:worker_threads'
import { KVM_KVMCLOCK_CTRL, RUN } from '../kvm/api.ts'
import type { Vcpu } from '../kvm/vcpu.ts'
import { ioctlInt, viewOf } from '../sys/libc.ts'
import {
  COMMAND,
  COMMAND_RUN,
  COMMAND_STOP,
  COMMAND_TIDY,
  COMMAND_WAIT,
  STATE,
  STATE_RUNNING,
  STATE_STOPPED,
  STATE_WAITING,
  STRIDE,
  TID,
} from '../vcpu/control.ts'
import type { VcpuEnd } from '../vcpu/run-loop.ts'
import type { VcpuWorkerData, VcpuWorkerMessage } from '../vcpu/worker.ts'
import { installKickHandler, signalThread } from './kick.ts'
import { listenToWorker } from './workers.ts'

const KICK_INTERVAL_MS = 4
/** A thread that died wakes nobody; what it was is looked at anew so often. */
const WAKE_LIMIT_MS = 100
/** More than tidying up takes. */
const TIDY_GAP_MS = 100

export interface VcpuThreadEvents {
  /** The vCPU ended by itself. */
  ended(cpu: number, end: VcpuEnd): void
  /** The thread died. */
  failed(cpu: number, error: Error): void
}

interface Thread {
  readonly vcpu: Vcpu
  readonly run: DataView
  /** Resolves when the thread has left the machine, or died. */
  readonly left: Promise<void>
}

export class VcpuThreads {
  private readonly threads: Thread[]
  private readonly words: Int32Array

  constructor(
    workers: readonly Worker[],
    vcpus: readonly Vcpu[],
    shared: Pick<VcpuWorkerData, 'control' | 'busWakeFd' | 'uart' | 'hvt'>,
    events: VcpuThreadEvents,
  ) {
    installKickHandler()
    this.words = new Int32Array(shared.control)
    this.threads = vcpus.map((vcpu, i) => {
      const worker = workers[i]!
      const left = Promise.withResolvers<void>()
      const ear = listenToWorker<VcpuWorkerMessage>(
        worker,
        ({ end }) => {
          if (end.kind !== 'stopped') events.ended(vcpu.id, end)
          left.resolve()
        },
        (error) => {
          Atomics.store(this.words, vcpu.id * STRIDE + STATE, STATE_STOPPED)
          events.failed(vcpu.id, error)
          left.resolve()
        },
      )
      const { id: cpu, fd, runAddress, runSize } = vcpu
      worker.postMessage({ cpu, fd, runAddress, runSize, ...shared } satisfies VcpuWorkerData)
      return {
        vcpu,
        run: new DataView(viewOf(runAddress, RUN.exitReason)),
        left: left.promise.then(() => ear.release()),
      }
    })
  }

  /** Resolves when every thread has loaded and waits for the command to run. */
  ready(): Promise<void> {
    return this.settled((state) => state === STATE_WAITING, false)
  }

  run(): void {
    this.command(COMMAND_RUN)
  }

  /** Has every thread that runs its vCPU tidy up, one after the other: a guest of several never stands still. */
  async tidy(): Promise<void> {
    for (const thread of this.threads) {
      const at = thread.vcpu.id * STRIDE + COMMAND
      if (Atomics.compareExchange(this.words, at, COMMAND_RUN, COMMAND_TIDY) !== COMMAND_RUN) continue
      this.kick([thread])
      await new Promise((resolve) => setTimeout(resolve, TIDY_GAP_MS).unref())
    }
  }

  /** Resolves when no vCPU executes guest code. */
  async pause(): Promise<void> {
    this.command(COMMAND_WAIT)
    await this.settled((state) => state !== STATE_RUNNING, true)
  }

  resume(): void {
    // Tells the guest's watchdog that it was stopped, so that it does not take the pause for a lockup.
    for (const { vcpu } of this.threads) ioctlInt(vcpu.fd, KVM_KVMCLOCK_CTRL, 0)
    this.command(COMMAND_RUN)
  }

  /** Ends every vCPU and resolves when no thread touches this machine any more. */
  async stop(onWait: () => void): Promise<void> {
    this.command(COMMAND_STOP)
    let gone = false
    const all = Promise.all(this.threads.map((thread) => thread.left)).then(() => {
      gone = true
    })
    while (!gone) {
      this.kick()
      onWait()
      await Promise.race([all, delay(KICK_INTERVAL_MS)])
    }
  }

  private command(value: number): void {
    for (const { vcpu } of this.threads) {
      const at = vcpu.id * STRIDE + COMMAND
      Atomics.store(this.words, at, value)
      Atomics.notify(this.words, at)
    }
  }

  private kick(threads: readonly Thread[] = this.threads): void {
    for (const { vcpu, run } of threads) {
      const base = vcpu.id * STRIDE
      const tid = Atomics.load(this.words, base + TID)
      if (tid === 0 || Atomics.load(this.words, base + STATE) !== STATE_RUNNING) continue
      run.setUint8(RUN.immediateExit, 1)
      signalThread(tid)
    }
  }

  private async settled(reached: (state: number) => boolean, kick: boolean): Promise<void> {
    for (const { vcpu } of this.threads) {
      const at = vcpu.id * STRIDE + STATE
      for (;;) {
        const state = Atomics.load(this.words, at)
        if (state === STATE_STOPPED || reached(state)) break
        if (kick) this.kick()
        // Woken, not polling: the threads may have this processor to share with us.
        const woken = Atomics.waitAsync(this.words, at, state, kick ? KICK_INTERVAL_MS : WAKE_LIMIT_MS)
        if (woken.async) await woken.value
      }
    }
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
