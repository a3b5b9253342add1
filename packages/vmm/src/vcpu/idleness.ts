/**
 * Whether a guest got round to what it was told: it has, when it halted each vCPU since, which it does when none of its
 * programs wants to run. Nothing of the guest's own is needed for that, and it holds for a guest that is slow, because its
 * host is or because it has much to do.
 */
import { VcpuStats } from '../kvm/vcpu-stats.ts'
import { clockGettime } from '../sys/libc.ts'
import { STRIDE, TID } from './control.ts'

/** A guest that never halts has given each program its turns when it ran for so long. */
const TURNS_MS = 400
/** One that gives no sign for so long is not waited for: what is told late is better than what is never told. */
const PATIENCE_MS = 5000
/** clock_gettime(2): CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED, below the complement of the thread's id. */
const THREAD_CPU_CLOCK = 6

/** Begins to look; the answer is asked for as often as wanted, and stays true once it is. */
export type SinceNow = () => () => boolean

/** One vCPU, as this sees it. */
export interface VcpuActivity {
  haltCount(): bigint
  isHalted(): boolean
  /** Milliseconds that its thread has run on a processor of the host. */
  cpuMs(): number
}

export function idleSinceNow(vcpus: readonly VcpuActivity[]): SinceNow {
  return () => {
    const began = performance.now()
    let busy = vcpus.map((vcpu) => ({ vcpu, halts: vcpu.haltCount(), from: vcpu.cpuMs() }))
    return () => {
      if (performance.now() - began > PATIENCE_MS) busy = []
      busy = busy.filter(
        ({ vcpu, halts, from }) =>
          vcpu.haltCount() === halts && !vcpu.isHalted() && vcpu.cpuMs() - from < TURNS_MS,
      )
      return busy.length === 0
    }
  }
}

/** `statsFds` are those of `openAllStats`; undefined where KVM does not tell enough. */
export function vcpuActivities(
  statsFds: readonly number[],
  control: SharedArrayBuffer,
): readonly VcpuActivity[] | undefined {
  const words = new Int32Array(control)
  const time = new BigInt64Array(2)
  try {
    return statsFds.map((fd, cpu) => {
      const stats = new VcpuStats(fd)
      return {
        haltCount: () => stats.haltCount(),
        isHalted: () => stats.isHalted(),
        cpuMs: () => {
          const tid = Atomics.load(words, cpu * STRIDE + TID)
          if (tid === 0 || clockGettime((~tid << 3) | THREAD_CPU_CLOCK, time) < 0) return 0
          return Number(time[0]!) * 1000 + Number(time[1]!) / 1e6
        },
      }
    })
  } catch {
    return undefined
  }
}
