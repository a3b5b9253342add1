/** What of a VM's limits its monitor is told. */
import type { RateLimit } from '@hearth/shared/limits'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { RunOptions } from '@hearth/vmm'

export function limitsOf({
  diskLimit,
  netLimit,
  keepMemory,
}: Pick<VmSpec, 'diskLimit' | 'netLimit' | 'keepMemory'>): Pick<
  RunOptions,
  'diskLimit' | 'netLimit' | 'keepMemory'
> {
  return {
    ...(diskLimit ? { diskLimit: monitorLimit(diskLimit) } : {}),
    ...(netLimit ? { netLimit: monitorLimit(netLimit) } : {}),
    ...(keepMemory ? { keepMemory } : {}),
  }
}

function monitorLimit({ bytesPerSecond, operationsPerSecond, burstSeconds }: RateLimit) {
  return {
    ...(bytesPerSecond === null ? {} : { bytesPerSecond }),
    ...(operationsPerSecond === null ? {} : { operationsPerSecond }),
    burstSeconds,
  }
}
