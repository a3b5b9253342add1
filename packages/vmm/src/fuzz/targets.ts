/** Every fuzz target, by name. */
import type { FuzzTarget } from './target.ts'
import { fileTargets } from './targets/files.ts'
import { hypercalls } from './targets/hypercalls.ts'
import { peerTargets } from './targets/peers.ts'
import { portTargets } from './targets/ports.ts'
import { virtioTargets } from './targets/virtio.ts'

export const targets: readonly FuzzTarget[] = [
  ...virtioTargets,
  ...portTargets,
  ...fileTargets,
  ...peerTargets,
  hypercalls,
]
