/**
 * Lets the stand-in agent behave like a box that works: actions pass through steps and end, VMs take the states that
 * follow. For pages that need many VMs, or faults; what a VM really does is shown on the real stack.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ActionReport } from '@hearth/shared/action'
import type { VmState } from '@hearth/shared/agent-protocol'
import { creationSteps as creation } from '@hearth/shared/creation'
import { MIB } from '@hearth/shared/units'
import type { FakeAgent } from '../fake-agent.ts'

const steps: Readonly<Record<string, string[]>> = {
  create_vm: [
    creation.lookingForImage,
    creation.copyingImage,
    creation.writingSeed,
    creation.network,
    creation.starting,
  ],
  start_vm: ['Preparing the disk', 'Starting the monitor'],
  shutdown_vm: ['Asking the guest to shut down'],
  build_image: ['Fetching packages', 'Writing the file system', 'Checking the image'],
}
const endings: Readonly<Record<string, VmState>> = {
  create_vm: 'running',
  start_vm: 'running',
  reset_vm: 'running',
  reboot_vm: 'running',
  shutdown_vm: 'stopped',
  poweroff_vm: 'stopped',
}

export interface Acting {
  /** Milliseconds a step takes; changed while it acts. */
  stepMs: number
  /** Actions on these VMs stay where they are, so that a picture can be taken of them. */
  readonly held: Set<string>
}

export function act(agent: FakeAgent): Acting {
  const acting: Acting = { stepMs: 5, held: new Set() }
  const begun = new Set<number>()
  const emit = agent.emit.bind(agent)
  agent.emit = (event) => {
    emit(event)
    if (event.type !== 'action' || event.action.status !== 'running' || begun.has(event.action.actionId))
      return
    begun.add(event.action.actionId)
    void perform(agent, event.action, acting)
  }
  return acting
}

async function perform(agent: FakeAgent, action: ActionReport, acting: Acting): Promise<void> {
  const { actionId, command, vmUid } = action
  if (vmUid && command === 'start_vm')
    agent.setVm(vmUid, { state: 'starting', since: new Date().toISOString() })
  const path = steps[command] ?? ['Working']
  for (const [index, step] of path.entries()) {
    // Asked for again and again: the time of a step may be changed while it lasts.
    for (let waited = 0; waited < acting.stepMs; waited += 20) await delay(Math.min(20, acting.stepMs))
    if (agent.actions.get(actionId)?.status !== 'running') return
    agent.progress(actionId, Math.round((index / path.length) * 90) + 5, step)
  }
  while (vmUid && acting.held.has(vmUid)) await delay(50)
  if (agent.actions.get(actionId)?.status !== 'running') return
  const vm = vmUid ? agent.vms.get(vmUid) : undefined
  if (vmUid && vm) {
    const state =
      command === 'create_vm' && !startsAfterCreation(agent, actionId) ? 'stopped' : endings[command]
    if (state)
      agent.setVm(vmUid, {
        state,
        since: new Date().toISOString(),
        diskUsedBytes: vm.diskBytes ? Math.min(vm.diskBytes, (1400 + (actionId % 7) * 300) * MIB) : 0,
        addresses: state === 'running' ? [`10.87.0.${10 + (actionId % 200)}`] : [],
      })
    if (command === 'delete_vm') {
      agent.vms.delete(vmUid)
      emitRemoved(agent, vmUid)
    }
  }
  agent.finish(actionId)
}

function emitRemoved(agent: FakeAgent, vmUid: string): void {
  agent.emit({ type: 'vm_removed', vmUid })
}

function startsAfterCreation(agent: FakeAgent, actionId: number): boolean {
  const asked = agent.asked.find((each) => each.actionId === actionId)
  return (asked?.input as { start?: boolean } | undefined)?.start !== false
}
