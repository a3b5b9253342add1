/**
 * What the making of a VM goes through, in this order. The host reports sentences (`creationSteps`); a page shows the
 * phases, and finds the one a sentence belongs to by `creationPhaseOf`.
 */
export const creationPhases = ['image', 'disk', 'seed', 'network', 'start'] as const
export type CreationPhase = (typeof creationPhases)[number]

/** Every sentence of a creation; the agent says no others while it makes a VM. */
export const creationSteps = {
  lookingForImage: 'Looking for the image',
  waitingForImage: 'Waiting for the image',
  fetchingImage: 'Fetching the image to this host',
  copyingImage: 'Copying the image',
  copyingDisk: 'Copying the disk',
  puttingInPlace: 'Putting it in place',
  writingSeed: 'Writing the cloud-init disk',
  network: 'Setting up the network',
  starting: 'Starting',
  removing: 'Removing what was made',
} as const

const phaseOf: Readonly<Record<string, CreationPhase>> = {
  [creationSteps.lookingForImage]: 'image',
  [creationSteps.waitingForImage]: 'image',
  [creationSteps.fetchingImage]: 'image',
  [creationSteps.copyingImage]: 'disk',
  [creationSteps.copyingDisk]: 'disk',
  [creationSteps.puttingInPlace]: 'disk',
  [creationSteps.writingSeed]: 'seed',
  [creationSteps.network]: 'network',
  [creationSteps.starting]: 'start',
}

/** null: before the host has begun, or while it takes everything away again. */
export function creationPhaseOf(step: string): CreationPhase | null {
  return phaseOf[step] ?? null
}
