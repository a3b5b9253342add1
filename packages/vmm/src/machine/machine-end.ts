import type { VcpuEnd } from '../vcpu/run-loop.ts'

/** How a machine ended by itself. `detail` is for the log and the exit line. */
export type MachineEnd =
  | { readonly kind: 'power-off' }
  | { readonly kind: 'reset'; readonly detail: string }
  | { readonly kind: 'crashed'; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string }

/** What the end of one vCPU means for the machine. `where` describes its registers. */
export function machineEndOf(
  cpu: number,
  end: Exclude<VcpuEnd, { kind: 'stopped' }>,
  where: string,
): MachineEnd {
  switch (end.kind) {
    case 'halted':
      if (end.status === 0) return { kind: 'power-off' }
      return { kind: 'crashed', detail: `the unikernel ended with status ${end.status}` }
    case 'shutdown':
      return { kind: 'crashed', detail: `triple fault on vCPU ${cpu} (${where})` }
    case 'system-event':
      return systemEvent(cpu, end.type)
    case 'emulation-failure':
      return {
        kind: 'crashed',
        detail: `vCPU ${cpu} executed an instruction KVM cannot run (suberror ${end.suberror}, ${where})`,
      }
    case 'entry-failure':
      return {
        kind: 'failed',
        detail: `the processor refused to enter vCPU ${cpu} (hardware reason 0x${end.reason.toString(16)}, ${where})`,
      }
    case 'run-error':
      return { kind: 'failed', detail: `KVM_RUN failed on vCPU ${cpu} (errno ${end.errno}, ${where})` }
    case 'unexpected-exit':
      return {
        kind: 'failed',
        detail: `vCPU ${cpu} stopped for an unknown reason (exit ${end.reason}, ${where})`,
      }
  }
}

/** KVM_SYSTEM_EVENT_*: 1 shutdown, 2 reset, 3 crash (api.rst, KVM_EXIT_SYSTEM_EVENT). */
function systemEvent(cpu: number, type: number): MachineEnd {
  if (type === 1) return { kind: 'power-off' }
  if (type === 2) return { kind: 'reset', detail: 'hypercall' }
  return { kind: 'crashed', detail: `the guest reported a crash on vCPU ${cpu} (system event ${type})` }
}
