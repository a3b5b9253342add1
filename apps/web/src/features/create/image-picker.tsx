'use client'
import { whyNotBootable } from '@hearth/shared/image'
import { Hammer } from 'lucide-react'
import type { ImageView } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Skeleton } from '../../ui/layout.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { StatusDot } from '../../ui/status.tsx'

export const choiceClass =
  'relative rounded-card border border-line-strong bg-surface transition-colors hover:border-control has-checked:border-ember has-checked:bg-ember-soft/50 has-checked:ring-1 has-checked:ring-ember has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-ember'

export function ImagePicker({
  images,
  chosen,
  onChoose,
  onBuild,
  buildWhy,
  buildPending,
}: {
  images: readonly ImageView[] | undefined
  chosen: string | null
  onChoose: (uid: string) => void
  onBuild: (image: ImageView) => void
  buildWhy: string | null
  buildPending: string | null
}) {
  if (!images)
    return (
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-2" role="status" aria-label={m.common.loading}>
        <Skeleton className="h-32 rounded-card!" />
        <Skeleton className="h-32 rounded-card!" />
      </div>
    )
  return (
    <div role="radiogroup" aria-label={m.create.image} className="grid grid-cols-1 gap-3 sm:grid-cols-2">
      {images.map((image) => (
        <div key={image.uid} className={`${choiceClass} flex flex-col`}>
          <label className="flex flex-1 gap-3.5 p-4">
            <input
              type="radio"
              name="image"
              value={image.uid}
              checked={chosen === image.uid}
              disabled={whyNotBootable(image) !== null}
              onChange={() => onChoose(image.uid)}
              aria-label={image.name}
              aria-describedby={`image-${image.uid}`}
              className="sr-only"
            />
            <ImageMark uid={image.uid} />
            <span className="min-w-0" id={`image-${image.uid}`}>
              <span className="block font-semibold">{image.name}</span>
              <span className="block text-13 text-ink-2 leading-5">{image.description}</span>
            </span>
          </label>
          <div className="flex min-h-11 items-center justify-between gap-3 px-4 pb-3">
            {whyNotBootable(image) !== null ? (
              <span className="text-13 text-ink-3">{whyNotBootable(image)}</span>
            ) : (
              <ImageState image={image} />
            )}
            {whyNotBootable(image) === null && (image.status === 'absent' || image.status === 'failed') ? (
              <Button
                size="sm"
                icon={<Hammer aria-hidden="true" />}
                busy={buildPending === image.uid}
                whyDisabled={buildWhy}
                onClick={() => onBuild(image)}
                aria-label={`${image.status === 'failed' ? m.create.card.retry : m.create.card.build}: ${image.name}`}
              >
                {image.status === 'failed' ? m.create.card.retry : m.create.card.build}
              </Button>
            ) : null}
          </div>
        </div>
      ))}
    </div>
  )
}

function ImageState({ image }: { image: ImageView }) {
  switch (image.status) {
    case 'ready':
      return (
        <span className="flex items-center gap-2 text-13 text-ink-2">
          <StatusDot tone="ok" />
          {m.create.card.ready}
          {image.storedBytes > 0 ? <span className="tnum text-ink-3">{bytes(image.storedBytes)}</span> : null}
        </span>
      )
    case 'building':
      return (
        <span className="block w-full min-w-0">
          <ProgressBar label={m.images.progress(image.name)} value={image.progress} thin />
          <span className="mt-1.5 flex justify-between gap-3 text-ink-2 text-xs">
            <span className="truncate">{image.step || m.create.card.building}</span>
            <span className="tnum">{image.progress} %</span>
          </span>
        </span>
      )
    case 'uploading':
      return <span className="text-13 text-ink-2">{m.images.state.uploading}</span>
    case 'failed':
      return (
        <span className="flex min-w-0 items-center gap-2 text-13 text-bad">
          <StatusDot tone="bad" />
          <span className="line-clamp-2">{image.error ?? m.create.card.failed}</span>
        </span>
      )
    case 'absent':
      return (
        <span className="flex items-center gap-2 text-13 text-ink-2">
          <StatusDot tone="quiet" />
          {image.source === 'download'
            ? m.images.willDownload(bytes(image.downloadBytes))
            : m.create.card.absent(m.create.buildMinutes)}
        </span>
      )
  }
}
