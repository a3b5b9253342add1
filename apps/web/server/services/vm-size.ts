/** What sizes an image and a host allow; the same refusals for a VM that is made and for one that is resized. */
import { type HostInfo, hostInfoSchema } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import { formatBytes } from '@hearth/shared/units'
import type { Host, Image } from '../generated/client.ts'

export interface WantedSize {
  cpus: number
  memoryBytes: number
  diskBytes: number | undefined
}

/** What the host last said of itself; a size is only promised on a host that is there. */
export function hostInfoOf(host: Host, online: boolean): HostInfo {
  if (!online || host.info === null)
    throw new HearthError('host_unavailable', 'The host is away. Try again when it is back.')
  return hostInfoSchema.parse(JSON.parse(host.info))
}

export function requireSize(wanted: WantedSize, image: Image, info: HostInfo): void {
  const exceeds = (message: string) => new HearthError('resource_limit_exceeded', message)
  if (wanted.cpus > info.cpus)
    throw exceeds(
      info.cpus === 1
        ? `The host has one CPU; the VM cannot have ${wanted.cpus}.`
        : `The host has ${info.cpus} CPUs; the VM cannot have ${wanted.cpus}.`,
    )
  if (wanted.memoryBytes > info.memoryBytes)
    throw exceeds(`The host has ${formatBytes(info.memoryBytes)} of memory; choose less.`)
  const minMemory = Number(image.minMemoryBytes)
  if (wanted.memoryBytes < minMemory)
    throw new HearthError(
      'invalid_input',
      `${image.name} needs at least ${formatBytes(minMemory)} of memory.`,
    )
  const minDisk = Number(image.minDiskBytes)
  const { diskBytes } = wanted
  if (diskBytes === undefined) return
  if (diskBytes < minDisk)
    throw new HearthError('invalid_input', `${image.name} needs a disk of at least ${formatBytes(minDisk)}.`)
  // Thin disks take what is written, but one that could never fill is a promise nobody can keep.
  if (diskBytes > info.diskBytes)
    throw exceeds(`The host's storage is ${formatBytes(info.diskBytes)}; choose a smaller disk.`)
}
