/** One run of a VM: its monitor from the launch to its end, and what was asked of it meanwhile. */

import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import type { VmmEvent, VmmMethod } from '@hearth/shared/vmm-control'
import type { NetOption } from '@hearth/vmm'
import type { ProcessIdentity } from '../host/process-identity.ts'
import { type LaunchedProcess, lastLogLine } from '../vmm/launch.ts'
import { launchMonitor } from '../vmm/launch-monitor.ts'
import { type ChildExit, Monitor, type MonitorExit } from '../vmm/monitor.ts'
import { describeExit, type StopRequest, type VmEnd } from './exit-reason.ts'
import { machineOptions } from './machine-options.ts'
import type { Vm, VmContext } from './vm.ts'

export class VmRun {
  readonly #monitor: Monitor
  /** What a person wanted of it, which explains its end. */
  stopRequest: StopRequest = null
  /** Set when the box, not a person, shuts guests down: they come back at the next boot. */
  keepDesired = false
  /** Whether its guest has run; so in any case where some earlier agent began it. */
  hasRun: boolean
  /** null as long as it lasts. */
  end: VmEnd | null = null

  /** `ended` is called once, when its process is gone. */
  constructor(options: {
    identity: ProcessIdentity
    bootId: string
    controlPath: string
    /** Its log, whose last line may tell why it ended. */
    vmmLog: string
    /** Of a process of this agent's own; absent: some earlier agent began it. */
    childExit?: ChildExit | undefined
    onEvent: (run: VmRun, event: VmmEvent) => void
    ended: (run: VmRun, end: VmEnd, exit: MonitorExit) => Promise<void>
  }) {
    const { childExit, vmmLog, onEvent, ended } = options
    this.hasRun = childExit === undefined
    this.#monitor = new Monitor({
      ...options,
      ...(childExit ? { childExit } : {}),
      onEvent: (event) => onEvent(this, event),
    })
    void this.#monitor.exited.then(async (exit) => {
      const lastLine = exit.reason === null ? await lastLogLine(vmmLog) : null
      this.end = describeExit(exit, this.stopRequest, lastLine)
      await ended(this, this.end, exit)
    })
  }

  request(method: VmmMethod, timeoutMs?: number, params?: Record<string, unknown>): Promise<unknown> {
    return this.#monitor.request(method, timeoutMs, params)
  }

  /** Ends it now; killed if it does not end by itself. */
  async powerOff(): Promise<void> {
    await this.#monitor.powerOff()
  }

  /** Leaves it alone and stops looking: the agent ends, the VM stays. */
  release(): void {
    this.#monitor.release()
  }
}

/** Starts the monitor of a VM; `restore` is a suspended machine to go on with. */
export async function launchVm(
  { jails, vmmCommand, bootId, shares: sharesOf }: VmContext,
  vm: Vm,
  net: NetOption,
  restore: string | undefined,
): Promise<LaunchedProcess> {
  const { spec, files, sockets, record } = vm
  const shares = await sharesOf(spec.folders ?? [])
  const { boot } = record
  if (!boot) throw new HearthError('invalid_state', 'This VM is not completely created.')
  const generationId = record.generationId ?? randomUUID()
  if (record.generationId === undefined) await vm.setRecord({ generationId })
  const volumePath = (volumeUid: string) => vm.volumePath(volumeUid)
  const options = machineOptions({ spec, boot, files, sockets, volumePath, shares, net, restore })
  return launchMonitor({
    jails,
    vm: spec,
    program: vmmCommand,
    machine: { ...options, generationId },
    logFile: files.vmmLog,
    bootId,
    onUid: (jailUid) => vm.setRecord({ jailUid }),
  })
}
