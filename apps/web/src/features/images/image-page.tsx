'use client'
import { ChevronLeft, Trash2 } from 'lucide-react'
import Link from 'next/link'
import { useState } from 'react'
import { type ImageView, useImages } from '../../data/hooks.ts'
import { bytes, dateTime } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CopyLine } from '../../ui/copy.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Card, Fact, Facts, Notice, Skeleton } from '../../ui/layout.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { NotFound } from '../shell/not-found.tsx'
import { ImageFooter, imageTones, markOf } from './image-card.tsx'
import { ImageDelete } from './image-delete.tsx'
import { imageDescription } from './image-description.ts'
import { ImageSettings } from './image-settings.tsx'
import { useImageActions } from './use-image-actions.ts'

const t = m.images

export function ImagePage({ id }: { id: number }) {
  const { images, error } = useImages()
  const actions = useImageActions()
  const [deleting, setDeleting] = useState(false)
  if (!images) return error ? <LoadError error={error} /> : <Skeleton className="h-64 rounded-card!" />
  const image = images.find((each) => each.id === id)
  if (!image) return <NotFound />
  return (
    <div className="flex flex-col gap-5">
      <Link
        href={paths.images()}
        className="inline-flex items-center gap-1 self-start text-13 text-ink-2 hover:underline"
      >
        <ChevronLeft aria-hidden="true" className="size-4" />
        {t.title}
      </Link>
      <header className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <ImageMark uid={markOf(image)} size="lg" />
        <div className="min-w-0 flex-1">
          <h1 className="font-semibold text-[1.375rem] leading-8 tracking-[-0.018em]">{image.name}</h1>
          {image.description ? <p className="text-ink-2">{imageDescription(image)}</p> : null}
        </div>
        <StatusPill tone={imageTones[image.status]}>{t.state[image.status]}</StatusPill>
      </header>
      {image.status === 'failed' && image.error ? (
        <Notice tone="bad" title={t.failed}>
          {image.error}
        </Notice>
      ) : null}
      {image.status === 'ready' && !image.can.use.ok ? (
        <Notice tone="warn" title={t.page.why}>
          {image.can.use.why}
        </Notice>
      ) : null}
      <div className="flex flex-wrap items-center justify-end gap-2">
        <ImageFooter image={image} actions={actions} />
        {image.status === 'ready' || image.status === 'failed' ? (
          <Button
            icon={<Trash2 aria-hidden="true" />}
            variant="danger"
            whyDisabled={image.can.delete.why}
            onClick={() => setDeleting(true)}
          >
            {t.page.delete}
          </Button>
        ) : null}
      </div>
      <div className="grid grid-cols-1 gap-5 lg:grid-cols-[3fr_2fr] lg:items-start">
        <ImageFactList image={image} />
        <ImageSettings key={image.id} image={image} />
      </div>
      {deleting ? <ImageDelete image={image} onClose={() => setDeleting(false)} /> : null}
    </div>
  )
}

function ImageFactList({ image }: { image: ImageView }) {
  return (
    <Card title={t.page.facts} flush>
      <Facts>
        <Fact label={t.page.source}>{t.sources[image.source]}</Fact>
        {image.origin ? (
          <Fact label={t.page.origin}>
            <span className="break-all">{image.origin}</span>
          </Fact>
        ) : null}
        {image.version ? <Fact label={t.page.version}>{image.version}</Fact> : null}
        <Fact label={t.page.boot}>{image.kind === 'iso' ? t.cd : t.boots[image.boot]}</Fact>
        <Fact label={t.page.least}>
          {[
            t.minMemory(bytes(image.minMemoryBytes)),
            image.minDiskBytes > 0 ? t.minDisk(bytes(image.minDiskBytes)) : null,
          ]
            .filter(Boolean)
            .join(' · ')}
        </Fact>
        {image.diskBytes ? <Fact label={t.page.disk}>{bytes(image.diskBytes)}</Fact> : null}
        {image.storedBytes > 0 ? <Fact label={t.page.stored}>{bytes(image.storedBytes)}</Fact> : null}
        <Fact label={t.page.cloudInit}>{image.cloudInit ? t.page.yes : t.page.no}</Fact>
        {image.loginUser ? <Fact label={t.page.loginUser}>{image.loginUser}</Fact> : null}
        {image.sha256 ? (
          <Fact label={t.page.checksum}>
            <CopyLine
              text={image.sha256}
              label={m.common.copy(t.page.checksum)}
              copiedLabel={m.common.copied}
            />
            <span className="mt-1 block text-13 text-ink-3">{t.page.checksumHint}</span>
          </Fact>
        ) : null}
        <Fact label={t.page.usedBy}>{t.usedBy(image.usedBy)}</Fact>
        <Fact label={t.page.uid}>
          <code>{image.uid}</code>
        </Fact>
        <Fact label={t.page.created}>{dateTime(image.createdAt)}</Fact>
      </Facts>
    </Card>
  )
}
