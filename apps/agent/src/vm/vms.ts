/** All VMs of this host, and who holds which: one mutating action per VM at a time. */
import type { VmReport } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { VmRecord } from '../store/vm-store.ts'
import { Vm, type VmContext } from './vm.ts'

export class Vms {
  readonly #context: VmContext
  readonly #vms = new Map<string, Vm>()
  readonly #holders = new Map<string, number>()
  readonly #removed: (vmUid: string) => void

  constructor(context: VmContext, removed: (vmUid: string) => void) {
    this.#context = context
    this.#removed = removed
  }

  all(): Vm[] {
    return [...this.#vms.values()]
  }

  reports(): VmReport[] {
    return this.all().map((vm) => vm.report())
  }

  find(vmUid: string): Vm | undefined {
    return this.#vms.get(vmUid)
  }

  require(vmUid: string): Vm {
    const vm = this.#vms.get(vmUid)
    if (!vm) throw new HearthError('not_found', 'This VM does not exist on this host.')
    return vm
  }

  add(spec: VmSpec, record: VmRecord): Vm {
    const vm = new Vm(this.#context, spec, record)
    this.#vms.set(spec.vmUid, vm)
    return vm
  }

  /** Forgets a VM whose folder is gone. */
  drop(vmUid: string): void {
    this.#context.jails.forget(vmUid)
    if (this.#vms.delete(vmUid)) this.#removed(vmUid)
  }

  /** The action that holds this VM, if any. */
  holder(vmUid: string): number | undefined {
    return this.#holders.get(vmUid)
  }

  /** Takes the VM for an action, or throws `locked`; nothing is awaited between check and taking. */
  hold(vmUid: string, actionId: number): void {
    if (this.#holders.has(vmUid))
      throw new HearthError(
        'locked',
        'Another action is still under way on this VM. Wait until it has ended.',
      )
    this.#holders.set(vmUid, actionId)
  }

  letGo(vmUid: string, actionId: number): void {
    if (this.#holders.get(vmUid) === actionId) this.#holders.delete(vmUid)
  }

  /** Tells the network who there is. */
  async publishGuests(): Promise<void> {
    await this.#context.network.setGuests(this.all().map((vm) => vm.guest))
  }
}
