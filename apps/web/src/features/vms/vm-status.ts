import type { VmView } from '../../../server/views/index.ts'
import { m } from '../../messages/index.ts'
import type { Tone } from '../../ui/status.tsx'

export interface VmStatus {
  tone: Tone
  label: string
}

const tones: Record<Exclude<VmView['state'], 'unknown'>, Tone> = {
  creating: 'busy',
  starting: 'busy',
  running: 'ok',
  paused: 'warn',
  stopping: 'busy',
  stopped: 'quiet',
  suspended: 'quiet',
  crashed: 'bad',
}

/** The one word a VM's state is shown by, on every page. */
export function vmStatus(vm: VmView): VmStatus {
  if (vm.state === 'unknown')
    return { tone: 'away', label: vm.host.online ? m.vms.state.unknown : m.vms.state.away }
  if (vm.desiredState === 'deleted') return { tone: 'busy', label: m.vms.state.deleting }
  return { tone: tones[vm.state], label: m.vms.state[vm.state] }
}

/** The action that holds the VM now. */
export function runningAction(vm: VmView) {
  return vm.action?.status === 'running' ? vm.action : null
}

/** The last action, when it failed: what the person should know before trying again. */
export function failedAction(vm: VmView) {
  return vm.action?.status === 'error' ? vm.action : null
}

export function matchesVm(vm: VmView, query: string): boolean {
  const text = [vm.name, vm.image.name, vmStatus(vm).label, ...vm.addresses].join(' ').toLowerCase()
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
