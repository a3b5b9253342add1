import type { ImageView } from '../../data/hooks.ts'
import { said } from '../../messages/said.ts'

/** In the reader's language what Hearth says of an image; what people wrote stays as they wrote it. */
export const imageDescription = ({
  source,
  description,
}: Pick<ImageView, 'source' | 'description'>): string =>
  source === 'build' || source === 'download' ? said(description) : description
