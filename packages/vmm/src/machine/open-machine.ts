/** Opens everything a machine is made of, while files still have names. */
import { randomUUID } from 'node:crypto'
import type { RunOptions } from '../cli/run-options.ts'
import type { Jail } from '../jail/jail.ts'
import { Kvm } from '../kvm/vm.ts'
import { allocateGuestRam, restoreGuestRam } from '../memory/guest-ram.ts'
import type { OpenSnapshot } from '../snapshot/folder.ts'
import { applyMemoryFile } from '../snapshot/memory-file.ts'
import { hostRefused, usageError } from '../sys/exit-error.ts'
import { openDisk, openNet } from './backends.ts'
import { hadFirmware, isMultiboot, lowRamEnd, openFirmwareBoot, openHvt, openKernel } from './boot-source.ts'
import { queuesFor, ramRanges } from './layout.ts'
import type { MachineOptions } from './machine.ts'
import { type MachineWorkers, startWorkers } from './workers.ts'

export interface MachineSurroundings {
  readonly cpus: number
  readonly memoryBytes: number
  readonly jail: Jail
  /** Threads that were started before the VM was known. */
  readonly early: MachineWorkers | undefined
  readonly serialAttentionFd: number
}

export type OpenedMachine = Pick<
  MachineOptions,
  | 'kvm'
  | 'workers'
  | 'cpus'
  | 'ram'
  | 'boot'
  | 'disks'
  | 'cdroms'
  | 'hvt'
  | 'transitional'
  | 'nets'
  | 'serialAttentionFd'
  | 'restore'
  | 'generationId'
>

/** Throws ExitError when files or host do not allow it. */
export function openMachine(
  options: RunOptions,
  snapshot: OpenSnapshot | undefined,
  { cpus, memoryBytes, jail, early, serialAttentionFd }: MachineSurroundings,
): OpenedMachine {
  const kernel = openKernel(options)
  const disks = options.disks.map((disk) => openDisk(disk))
  const cdroms = (options.cdroms ?? []).map((path) => openDisk({ path, readOnly: true }, 'cdrom'))
  const withFirmware = snapshot ? hadFirmware(snapshot.document) : true
  const boot = kernel ?? (withFirmware ? openFirmwareBoot(options, disks, cdroms.length) : undefined)
  const nets = jail.inHostNetwork(() => options.nets.map((net) => openNet(net, queuesFor(cpus))))
  const kvm = Kvm.open()
  if (cpus > kvm.maxVcpus) {
    throw hostRefused(`this host's KVM runs at most ${kvm.maxVcpus} vCPUs in a VM: give fewer with --cpus`)
  }
  const ranges = ramRanges(memoryBytes, lowRamEnd(boot, memoryBytes))
  if (snapshot && (options.hugePages || options.prefault)) {
    throw usageError('--restore reads memory when it is touched: leave --huge-pages and --prefault out')
  }
  const ram = snapshot
    ? restoreGuestRam(ranges, snapshot.memoryFd)
    : allocateGuestRam(ranges, undefined, options)
  for (const fd of snapshot?.increments ?? []) applyMemoryFile(fd, ram)
  return {
    kvm,
    // Last, when nothing can be refused any more: a thread costs time and memory.
    workers: startWorkers(cpus, jail.thread, early),
    cpus,
    ram,
    boot,
    disks,
    cdroms,
    hvt: openHvt(kernel, disks, nets, cpus),
    transitional: options.transitional || isMultiboot(kernel),
    nets,
    serialAttentionFd,
    restore: snapshot?.document,
    generationId: generationIdOf(options, snapshot),
  }
}

/** Given by whoever knows which VM this is; else that of the machine this one goes on from; else a new one. */
function generationIdOf({ generationId }: RunOptions, snapshot: OpenSnapshot | undefined): string {
  if (generationId !== undefined && generationId !== 'new') return generationId
  const saved = snapshot?.document.devices.chipset['generation-id']?.id
  return generationId === undefined && saved !== undefined ? saved.toLowerCase() : randomUUID()
}
