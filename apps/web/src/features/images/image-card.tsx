'use client'
import { Disc3, Download, Hammer, Plus, RotateCw, X } from 'lucide-react'
import Link from 'next/link'
import type { ImageView } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Notice } from '../../ui/layout.tsx'
import { StatusPill, type Tone } from '../../ui/status.tsx'
import { imageDescription } from './image-description.ts'
import { ImageProgress } from './image-progress.tsx'
import { UploadProgress } from './upload-progress.tsx'
import { UseImage } from './use-image.tsx'
import type { useImageActions } from './use-image-actions.ts'

const t = m.images
export const imageTones: Record<ImageView['status'], Tone> = {
  absent: 'quiet',
  uploading: 'busy',
  building: 'busy',
  ready: 'ok',
  failed: 'bad',
}

export const markOf = (image: Pick<ImageView, 'uid' | 'kind'>): string =>
  image.kind === 'iso' ? `iso:${image.uid}` : image.uid

export function ImageCard({
  image,
  actions,
}: {
  image: ImageView
  actions: ReturnType<typeof useImageActions>
}) {
  return (
    <li className="card flex flex-col">
      <div className="flex flex-1 items-start gap-4 p-5">
        <ImageMark uid={markOf(image)} size="lg" />
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center justify-between gap-2">
            <h3 className="min-w-0 font-semibold">
              <Link href={paths.image(image.id)} className="hover:underline">
                {image.name}
              </Link>
            </h3>
            <StatusPill tone={imageTones[image.status]}>{t.state[image.status]}</StatusPill>
          </div>
          {image.description ? <p className="mt-1 text-ink-2">{imageDescription(image)}</p> : null}
          <p className="tnum mt-2 flex flex-wrap items-center gap-x-2 gap-y-1 text-13 text-ink-3">
            {image.kind === 'iso' ? <Badge icon={<Disc3 />}>{t.cd}</Badge> : null}
            {image.project ? <Badge>{image.project.name}</Badge> : null}
            <span>
              {[
                t.minMemory(bytes(image.minMemoryBytes)),
                image.kind === 'iso'
                  ? null
                  : image.minDiskBytes === 0
                    ? t.noDisk
                    : t.minDisk(bytes(image.minDiskBytes)),
                image.storedBytes > 0 ? t.stored(bytes(image.storedBytes)) : null,
                image.usedBy > 0 ? t.usedBy(image.usedBy) : null,
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </p>
          {image.status === 'failed' && image.error ? (
            <div className="mt-3">
              <Notice tone="bad" title={t.failed}>
                {image.error}
              </Notice>
            </div>
          ) : null}
        </div>
      </div>
      <div className="flex min-h-14 flex-wrap items-center justify-end gap-2 border-line border-t px-5 py-2.5">
        <ImageFooter image={image} actions={actions} />
      </div>
    </li>
  )
}

/** What can be done with it now, and how far it is. */
export function ImageFooter({
  image,
  actions,
}: {
  image: ImageView
  actions: ReturnType<typeof useImageActions>
}) {
  if (image.status === 'building')
    return (
      <div className="flex w-full items-center gap-4">
        <ImageProgress image={image} />
        <CancelButton image={image} actions={actions} />
      </div>
    )
  if (image.status === 'uploading')
    return (
      <div className="flex w-full flex-wrap items-center gap-x-4 gap-y-2">
        <UploadProgress image={image} />
        <CancelButton image={image} actions={actions} />
      </div>
    )
  if (image.status === 'ready')
    return (
      <>
        {image.outdated ? (
          <>
            <span className="mr-auto text-13 text-ink-3">{t.outdated}</span>
            <Button
              icon={<RotateCw aria-hidden="true" />}
              whyDisabled={image.can.make.why}
              onClick={() => actions.make(image)}
              aria-label={`${t.update} ${image.name}`}
            >
              {t.update}
            </Button>
          </>
        ) : null}
        <UseImage image={image} icon={<Plus aria-hidden="true" />} />
      </>
    )
  const failed = image.status === 'failed'
  const fetched = image.source === 'download'
  const word = failed ? t.again : fetched ? t.download : t.build
  return (
    <>
      {failed ? null : (
        <span className="mr-auto text-13 text-ink-3">
          {fetched ? t.willDownload(bytes(image.downloadBytes)) : t.willBuild(m.create.buildMinutes)}
        </span>
      )}
      <Button
        icon={
          failed ? (
            <RotateCw aria-hidden="true" />
          ) : fetched ? (
            <Download aria-hidden="true" />
          ) : (
            <Hammer aria-hidden="true" />
          )
        }
        whyDisabled={image.can.make.why}
        onClick={() => actions.make(image)}
        aria-label={`${word} ${image.name}`}
      >
        {word}
      </Button>
    </>
  )
}

function CancelButton({ image, actions }: { image: ImageView; actions: ReturnType<typeof useImageActions> }) {
  return (
    <Button
      size="sm"
      icon={<X aria-hidden="true" />}
      whyDisabled={image.can.cancel.why}
      onClick={() => actions.cancel(image)}
      aria-label={`${t.cancel} ${image.name}`}
    >
      {t.cancel}
    </Button>
  )
}
