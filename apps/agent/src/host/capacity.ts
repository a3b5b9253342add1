/** What this box can carry, checked before work begins so that the refusal is a sentence and not a crash. */
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { HearthError } from '@hearth/shared/errors'
import { formatBytes, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'

export interface MemoryFigures {
  totalBytes: number
  availableBytes: number
}

/** proc_meminfo(5); its "kB" are KiB. */
function parseMemory(meminfo: string): MemoryFigures {
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024
  return { totalBytes: field('MemTotal'), availableBytes: field('MemAvailable') }
}

export function readMemory(): MemoryFigures {
  return parseMemory(readFileSync('/proc/meminfo', 'utf8'))
}

export async function diskFigures(path: string): Promise<{ totalBytes: number; availableBytes: number }> {
  const figures = await statfs(path)
  return { totalBytes: figures.blocks * figures.bsize, availableBytes: figures.bavail * figures.bsize }
}

/** statfs(2), linux/magic.h. An overlay is the root of a live system or of the lab host, which throw it away. */
const inMemoryTypes: readonly number[] = [
  0x0102_1994, // TMPFS_MAGIC
  0x8584_58f6, // RAMFS_MAGIC
  0x794c_7630, // OVERLAYFS_SUPER_MAGIC
]

/** Whether what is written there is gone when the host stops. */
export async function isInMemory(path: string): Promise<boolean> {
  return inMemoryTypes.includes((await statfs(path)).type)
}

/** Left free for the box itself: logs, the journal, the portal's database. */
const diskReserveBytes = 512 * MIB

export async function requireSpace(path: string, neededBytes: number): Promise<void> {
  const { availableBytes } = await diskFigures(path)
  if (availableBytes >= neededBytes + diskReserveBytes) return
  throw new HearthError(
    'no_space',
    `This host has ${formatBytes(availableBytes, 'en')} of disk left; this needs ${formatBytes(neededBytes + diskReserveBytes, 'en')}. Delete VMs you no longer need.`,
  )
}

/** Whether the box could ever run it. */
export function requireFits(spec: Pick<VmSpec, 'cpus' | 'memoryBytes'>): void {
  const cpus = availableParallelism()
  if (spec.cpus > cpus)
    throw new HearthError(
      'resource_limit_exceeded',
      `This host has ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}; a VM cannot have more.`,
    )
  const { totalBytes } = readMemory()
  if (spec.memoryBytes > totalBytes)
    throw new HearthError(
      'resource_limit_exceeded',
      `This host has ${formatBytes(totalBytes, 'en')} of memory; a VM cannot have more.`,
    )
}

/** Whether there is memory for it now. Guest memory is taken as the guest touches it: this is a floor, not a promise. */
export function requireMemoryNow(memoryBytes: number): void {
  const { availableBytes } = readMemory()
  if (availableBytes >= memoryBytes) return
  throw new HearthError(
    'resource_limit_exceeded',
    `This host has ${formatBytes(availableBytes, 'en')} of memory free; this VM needs ${formatBytes(memoryBytes, 'en')}. Shut down another VM first, or give this one less.`,
  )
}
