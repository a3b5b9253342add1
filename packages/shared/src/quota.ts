/**
 * Quota arithmetic, the same for the portal that decides and the page that shows it. Amounts are counts or bytes.
 * A limit of null is none.
 */
import { formatBytes, GIB } from './units.ts'

/** What a project uses. Disk always counts; vCPU and memory count while a VM runs or starts. */
export const quotaResources = ['vms', 'vcpus', 'memory', 'disk', 'snapshots', 'ports'] as const
export type QuotaResource = (typeof quotaResources)[number]

/** What one VM may have at most. */
export const vmMaxima = ['vm_vcpus', 'vm_memory', 'vm_disk'] as const
export type VmMaximum = (typeof vmMaxima)[number]

export const quotaKeys = [...quotaResources, ...vmMaxima] as const
export type QuotaKey = (typeof quotaKeys)[number]

/** Of a project that nobody gave limits of its own, until the administrator changes the default. */
export const initialQuota: Readonly<Record<QuotaKey, number>> = {
  vms: 5,
  vcpus: 8,
  memory: 16 * GIB,
  disk: 200 * GIB,
  snapshots: 100 * GIB,
  ports: 10,
  vm_vcpus: 8,
  vm_memory: 16 * GIB,
  vm_disk: 200 * GIB,
}

export type Demand = Partial<Record<QuotaKey, number>>

export interface QuotaLine {
  readonly key: QuotaKey
  readonly used: number
  readonly limit: number | null
}

export interface Shortfall extends QuotaLine {
  readonly asked: number
  /** What is left of it, never below 0; for a maximum of one VM the maximum itself. */
  readonly left: number
}

export interface VmFigures {
  readonly cpus: number
  readonly memoryBytes: number
  readonly diskBytes: number | null
}

/** What a VM that runs (or starts) takes. */
export function runningDemand({ cpus, memoryBytes }: VmFigures): Demand {
  return { vcpus: cpus, memory: memoryBytes }
}

/** What a new VM takes, the maxima of one VM included. */
export function creationDemand(vm: VmFigures, starts: boolean): Demand {
  return {
    vms: 1,
    disk: vm.diskBytes ?? 0,
    ...(starts ? runningDemand(vm) : {}),
    ...maximumDemand(vm),
  }
}

/** What a VM must stay below whether it runs or not. */
export function maximumDemand({ cpus, memoryBytes, diskBytes }: VmFigures): Demand {
  return { vm_vcpus: cpus, vm_memory: memoryBytes, vm_disk: diskBytes ?? 0 }
}

export const isVmMaximum = (key: QuotaKey): key is VmMaximum => vmMaxima.some((maximum) => maximum === key)

/** What is asked for and does not fit; empty when all of it does. */
export function shortfalls(lines: readonly QuotaLine[], demand: Demand): Shortfall[] {
  return lines.flatMap((line) => {
    const asked = demand[line.key] ?? 0
    if (line.limit === null || asked <= 0) return []
    const left = Math.max(0, line.limit - line.used)
    return asked > left ? [{ ...line, asked, left }] : []
  })
}

/** The limit that would have let it in: what a person asks for with one click. */
export function limitFor({ used, asked }: Shortfall): number {
  return used + asked
}

const bytes: readonly QuotaKey[] = ['memory', 'disk', 'snapshots', 'vm_memory', 'vm_disk']
export const isBytes = (key: QuotaKey): boolean => bytes.includes(key)

export function formatAmount(key: QuotaKey, amount: number, locale?: string): string {
  return isBytes(key) ? formatBytes(amount, locale) : amount.toLocaleString(locale)
}
