/** Every fuzz target, by name. */
import type { FuzzTarget } from './target.ts'
import { fileTargets } from './targets/files.ts'
import { firmware } from './targets/firmware.ts'
import { hypercalls } from './targets/hypercalls.ts'
import { peerTargets } from './targets/peers.ts'
import { portTargets } from './targets/ports.ts'
import { chipsetSnapshot, snapshot } from './targets/snapshot.ts'
import { virtioTargets } from './targets/virtio.ts'
import { virtioLegacy } from './targets/virtio-legacy.ts'

export const targets: readonly FuzzTarget[] = [
  ...virtioTargets,
  virtioLegacy,
  ...portTargets,
  firmware,
  ...fileTargets,
  snapshot,
  chipsetSnapshot,
  ...peerTargets,
  hypercalls,
]
