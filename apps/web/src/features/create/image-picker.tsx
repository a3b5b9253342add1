'use client'
import { whyNotBootable } from '@hearth/shared/image'
import { Download, Hammer } from 'lucide-react'
import { useState } from 'react'
import type { ImageView } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Skeleton } from '../../ui/layout.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { StatusDot } from '../../ui/status.tsx'
import { imageDescription } from '../images/image-description.ts'
import { byReadiness, firstImages } from '../images/image-order.ts'

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
  const [all, setAll] = useState(false)
  if (!images)
    return (
      <div
        className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-3"
        role="status"
        aria-label={m.common.loading}
      >
        {[0, 1, 2].map((card) => (
          <Skeleton key={card} className="h-29 rounded-card!" />
        ))}
      </div>
    )
  // What is chosen stays in sight.
  const sorted = byReadiness(images)
  const shown = all ? sorted : sorted.filter((image, index) => index < firstImages || image.uid === chosen)
  return (
    <>
      <div
        role="radiogroup"
        aria-label={m.create.image}
        className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-3"
      >
        {shown.map((image) => (
          <div key={image.uid} className={`${choiceClass} flex flex-col`}>
            <label className="flex flex-1 gap-3 p-3.5 pb-2">
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
                <span className="block font-semibold leading-5">{image.name}</span>
                <span className="line-clamp-2 text-13 text-ink-2 leading-4.5">{imageDescription(image)}</span>
              </span>
            </label>
            <div className="flex min-h-10 items-center justify-between gap-2 px-3.5 pb-2.5">
              {whyNotBootable(image) !== null ? (
                <span className="text-13 text-ink-3">{whyNotBootable(image)}</span>
              ) : (
                <ImageState image={image} />
              )}
              {whyNotBootable(image) === null && (image.status === 'absent' || image.status === 'failed') ? (
                <IconButton
                  variant="secondary"
                  busy={buildPending === image.uid}
                  whyDisabled={buildWhy}
                  onClick={() => onBuild(image)}
                  label={`${makeWord(image)}: ${image.name}`}
                >
                  {image.source === 'download' ? <Download /> : <Hammer />}
                </IconButton>
              ) : null}
            </div>
          </div>
        ))}
      </div>
      {shown.length < images.length ? (
        <Button variant="ghost" size="sm" className="mt-3" onClick={() => setAll(true)}>
          {m.create.allImages(images.length)}
        </Button>
      ) : null}
    </>
  )
}

function makeWord({ status, source }: ImageView): string {
  if (status === 'failed') return source === 'build' ? m.create.card.retry : m.images.again
  return source === 'download' ? m.images.download : m.create.card.build
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
            <span className="tnum whitespace-nowrap">{image.progress} %</span>
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
        <span className="flex min-w-0 items-center gap-2 text-13 text-ink-2">
          <StatusDot tone="quiet" />
          <span className="min-w-0 leading-4.5">
            {image.source === 'download' ? m.create.card.willDownload : m.create.card.willBuild}
            <span className="block text-ink-3">
              {image.source === 'download'
                ? m.create.card.about(bytes(image.downloadBytes))
                : m.create.card.inMinutes}
            </span>
          </span>
        </span>
      )
  }
}
