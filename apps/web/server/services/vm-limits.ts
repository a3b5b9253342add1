/** How fast a VM's disks and network may be, and whether it gives free memory back: an owner's decisions. */
import { isDeepStrictEqual } from 'node:util'
import type { RateLimit } from '@hearth/shared/limits'
import { formatBytes } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'

/** null: none. What is left out stays as it is. */
export interface LimitsWish {
  diskLimit?: RateLimit | null | undefined
  netLimit?: RateLimit | null | undefined
  keepMemory?: boolean | undefined
}

/** What differs from what is wanted already. */
export function changedLimits(spec: VmSpec, { diskLimit, netLimit, keepMemory }: LimitsWish): LimitsWish {
  const differs = (wanted: unknown, now: unknown) => wanted !== undefined && !isDeepStrictEqual(wanted, now)
  return {
    ...(differs(diskLimit, spec.diskLimit ?? null) ? { diskLimit } : {}),
    ...(differs(netLimit, spec.netLimit ?? null) ? { netLimit } : {}),
    ...(differs(keepMemory, spec.keepMemory ?? false) ? { keepMemory } : {}),
  }
}

/** The parts of the specification, in which an absent limit is none. */
export function limitedSpec(
  before: VmSpec,
  { diskLimit, netLimit, keepMemory }: LimitsWish,
): Pick<VmSpec, 'diskLimit' | 'netLimit' | 'keepMemory'> {
  return {
    diskLimit: diskLimit === undefined ? before.diskLimit : (diskLimit ?? undefined),
    netLimit: netLimit === undefined ? before.netLimit : (netLimit ?? undefined),
    keepMemory: keepMemory === undefined ? before.keepMemory : keepMemory || undefined,
  }
}

/** For the activity. */
export function limitsSummary({ diskLimit, netLimit, keepMemory }: LimitsWish): string[] {
  const limit = (what: string, operations: string, wanted: RateLimit | null | undefined): string[] => {
    if (wanted === undefined) return []
    if (wanted === null) return [`its ${what} has no limit from its next start on`]
    const { bytesPerSecond, operationsPerSecond } = wanted
    const parts = [
      ...(bytesPerSecond === null ? [] : [`${formatBytes(bytesPerSecond, 'en')}/s`]),
      ...(operationsPerSecond === null ? [] : [`${operationsPerSecond} ${operations}/s`]),
    ]
    return [`its ${what} is limited to ${parts.join(' and ')} from its next start on`]
  }
  return [
    ...limit('disk', 'operations', diskLimit),
    ...limit('network', 'packets', netLimit),
    ...(keepMemory === undefined
      ? []
      : [keepMemory ? 'keeps the memory it frees' : 'gives the memory it frees back to its host']),
  ]
}
