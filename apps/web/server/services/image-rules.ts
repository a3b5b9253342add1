/** What can be done with an image, and why not otherwise. Pure; the services refuse by the same answers. */
import { type ImageBoot, type ImageKind, type ImageSource, whyNotBootable } from '@hearth/shared/image'
import { type Ability, can, cannot } from '../views/common.ts'
import type { ImageView } from '../views/image.ts'

export interface ImageCondition {
  name: string
  kind: ImageKind
  boot: ImageBoot
  source: ImageSource
  status: ImageView['status']
  deleteProtected: boolean
  /** A newer one can be made. */
  outdated: boolean
  /** An action on it is under way. */
  busy: boolean
  hostOnline: boolean
  /** Whether the viewer owns it: of its project, or of the home for what is everybody's. */
  owns: boolean
  forHome: boolean
}

const hostAway = 'The host is away.'

export const isOwn = (source: ImageSource): boolean => source !== 'build' && source !== 'download'

export function imageAbilities(image: ImageCondition): ImageView['can'] {
  const owner = image.owns
    ? can
    : cannot(
        image.forHome
          ? 'It belongs to the whole home: only an administrator can do that.'
          : 'Only an owner of its project can do that.',
      )
  const mine = (ability: () => Ability): Ability => {
    if (!owner.ok) return owner
    return image.hostOnline ? ability() : cannot(hostAway)
  }
  return {
    use: usability(image),
    make: mine(() => {
      if (image.busy) return cannot('It is being made already.')
      if (image.status === 'ready' && !image.outdated) return cannot('It is here already.')
      if (image.status === 'uploading') return cannot('Its file is not all here yet.')
      if (image.source === 'vm') return cannot('Make it from the VM again.')
      return can
    }),
    cancel: mine(() =>
      image.status === 'uploading' || (image.busy && image.status === 'building')
        ? can
        : cannot('Nothing is under way.'),
    ),
    change: owner,
    delete: mine(() => {
      if (image.deleteProtected) return cannot('It is protected from deletion.')
      if (image.busy) return cannot('It is being made. Cancel that first.')
      if (image.status === 'absent') return cannot('It is not on this host.')
      return can
    }),
  }
}

function usability(image: ImageCondition): Ability {
  if (image.status === 'ready') {
    const why = whyNotBootable(image)
    return why === null ? can : cannot(why)
  }
  if (image.status === 'uploading') return cannot('Its file is still being uploaded.')
  if (image.status === 'building') return cannot('It is not ready yet.')
  if (image.status === 'failed') return cannot('It could not be made.')
  return cannot(image.source === 'download' ? 'It is not downloaded yet.' : 'It is not built yet.')
}
