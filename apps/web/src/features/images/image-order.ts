import type { ImageView } from '../../data/hooks.ts'

/** How many of the catalogue a choice shows at first. */
export const firstImages = 6

/** For choosing one: the ready ones first, then what is on its way, what the box builds itself, and the rest. */
export const byReadiness = (images: readonly ImageView[]): ImageView[] =>
  [...images].sort((one, other) => rank(one) - rank(other))

function rank({ status, source }: ImageView): number {
  if (status === 'ready') return 0
  if (status === 'building') return 1
  return source === 'build' ? 2 : source === 'download' && status === 'absent' ? 3 : 4
}
