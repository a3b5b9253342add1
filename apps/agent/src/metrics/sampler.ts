/**
 * Measures every VM that runs, and the box, at a steady pace. Counters become rates here, so that whoever keeps the
 * samples needs to know nothing about restarts: a counter that went back began anew.
 */
import type { HostFigures, HostSample, VmFigures } from '@hearth/shared/metrics'
import {
  type VmmBalloon,
  type VmmCounters,
  type VmmDeviceCounters,
  vmmCountersSchema,
} from '@hearth/shared/vmm-control'
import { diskFigures, readMemory } from '../host/capacity.ts'
import type { Vm } from '../vm/vm.ts'
import { busySeconds, processorTemperature } from './host-figures.ts'
import { type ProcessFigures, processFigures } from './process-figures.ts'

const ioKeys = [
  'diskReadBytes',
  'diskWriteBytes',
  'diskReads',
  'diskWrites',
  'netRxBytes',
  'netTxBytes',
  'netRxPackets',
  'netTxPackets',
] as const
type IoCounters = Record<(typeof ioKeys)[number], number>

interface VmReading {
  pid: number
  atMs: number
  process: ProcessFigures
  io: IoCounters
  guestMemoryBytes: number | null
}

export class Sampler {
  readonly #stateFolder: string
  readonly #vms: () => Vm[]
  readonly #before = new Map<string, VmReading>()
  #hostBefore: { atMs: number; busy: number } | null = null

  constructor(stateFolder: string, vms: () => Vm[]) {
    this.#stateFolder = stateFolder
    this.#vms = vms
  }

  async sample(): Promise<HostSample> {
    const running = this.#vms().filter((vm) => vm.hasProcess)
    const alive = new Set(running.map((vm) => vm.spec.vmUid))
    for (const vmUid of this.#before.keys()) if (!alive.has(vmUid)) this.#before.delete(vmUid)
    const vms = await Promise.all(
      running.map(async (vm) => ({ vmUid: vm.spec.vmUid, figures: await this.#vm(vm) })),
    )
    return {
      at: new Date().toISOString(),
      host: await this.#host(),
      vms: vms.flatMap(({ vmUid, figures }) => (figures ? [{ vmUid, figures }] : [])),
    }
  }

  async #vm(vm: Vm): Promise<VmFigures | null> {
    const { vmUid } = vm.spec
    const pid = vm.record.process?.pid
    if (pid === undefined) return null
    const before = this.#before.get(vmUid)
    const [process, counters] = await Promise.all([processFigures(pid), countersOf(vm)])
    if (!process) return null
    // A monitor that does not answer now (it starts, or writes a snapshot) has done nothing that we know of.
    const reading: VmReading = {
      pid,
      atMs: performance.now(),
      process,
      io: counters ? sumCounters(counters.devices) : (before?.io ?? sumCounters([])),
      guestMemoryBytes: guestMemory(counters?.balloon, vm.spec.memoryBytes),
    }
    this.#before.set(vmUid, reading)
    if (before?.pid !== pid) return null
    return figuresBetween(before, reading)
  }

  async #host(): Promise<HostFigures | null> {
    const now = { atMs: performance.now(), busy: await busySeconds() }
    const before = this.#hostBefore
    this.#hostBefore = now
    if (!before) return null
    const memory = readMemory()
    const disk = await diskFigures(this.#stateFolder)
    return {
      cpu: Math.max(0, now.busy - before.busy) / ((now.atMs - before.atMs) / 1000),
      memoryBytes: Math.max(0, memory.totalBytes - memory.availableBytes),
      diskUsedBytes: Math.max(0, disk.totalBytes - disk.availableBytes),
      temperature: await processorTemperature(),
    }
  }
}

export function figuresBetween(before: Omit<VmReading, 'pid'>, now: Omit<VmReading, 'pid'>): VmFigures {
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000)
  const io = Object.fromEntries(
    ioKeys.map((key) => {
      const grown = now.io[key] - before.io[key]
      // A reset of the guest makes its devices anew: what they count since then is all there is.
      return [key, (grown >= 0 ? grown : now.io[key]) / seconds]
    }),
  ) as IoCounters
  return {
    cpu: Math.max(0, now.process.cpuSeconds - before.process.cpuSeconds) / seconds,
    memoryBytes: now.process.memoryBytes,
    guestMemoryBytes: now.guestMemoryBytes,
    ...io,
  }
}

/**
 * What the guest's programs and kernel hold: all it has, less what it could give to a program at once (its caches are part
 * of that). null without a driver that tells; what it tells is a guest's word, and bounded by what it was given.
 */
export function guestMemory(balloon: VmmBalloon | undefined, memoryBytes: number): number | null {
  const { total, available } = balloon?.statistics ?? {}
  return total === undefined || available === undefined
    ? null
    : Math.min(memoryBytes, Math.max(0, total - available))
}

async function countersOf(vm: Vm): Promise<VmmCounters | null> {
  try {
    return vmmCountersSchema.parse(await vm.ask('counters'))
  } catch {
    return null
  }
}

/** All disks together, and all cards. */
export function sumCounters(devices: readonly VmmDeviceCounters[]): IoCounters {
  const sum = (device: string, counter: string) =>
    devices
      .filter(({ name }) => name === device)
      .reduce((total, { counters }) => total + (counters[counter] ?? 0), 0)
  return {
    diskReadBytes: sum('block', 'readBytes'),
    diskWriteBytes: sum('block', 'writeBytes'),
    diskReads: sum('block', 'reads'),
    diskWrites: sum('block', 'writes'),
    netRxBytes: sum('net', 'rxBytes'),
    netTxBytes: sum('net', 'txBytes'),
    netRxPackets: sum('net', 'rxPackets'),
    netTxPackets: sum('net', 'txPackets'),
  }
}
