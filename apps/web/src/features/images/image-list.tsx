'use client'
import { useMutation } from '@tanstack/react-query'
import { Hammer, Plus } from 'lucide-react'
import Link from 'next/link'
import { errorMessage } from '../../data/errors.ts'
import { type ImageView, useHosts, useImages, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { bytes } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { ImageMark } from '../../ui/image-mark.tsx'
import { EmptyState, Notice, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { StatusPill, type Tone } from '../../ui/status.tsx'
import { toast } from '../../ui/toast.tsx'
import { LoadError } from '../shell/load-error.tsx'

const t = m.images
const tones: Record<ImageView['status'], Tone> = {
  absent: 'quiet',
  building: 'busy',
  ready: 'ok',
  failed: 'bad',
}

export function ImageList() {
  const { images, error } = useImages()
  const { hosts } = useHosts()
  const { session } = useSession()
  const build = useMutation(
    useTRPC().image.build.mutationOptions({
      onSuccess: (action) => toast.success(t.buildStarted(action.image?.name ?? '')),
      onError: (failure) => toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable)),
    }),
  )
  const away = hosts?.length ? hosts.every((host) => !host.online) : false
  const why = session?.user?.role !== 'admin' ? t.buildWhy : away ? m.create.why.hostAway : null
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} description={t.description} />
      {error && !images ? <LoadError error={error} /> : null}
      {!images && !error ? (
        <div className="grid grid-cols-1 gap-4 lg:grid-cols-2" role="status" aria-label={m.common.loading}>
          <Skeleton className="h-44 rounded-card!" />
          <Skeleton className="h-44 rounded-card!" />
        </div>
      ) : null}
      {images?.length === 0 ? (
        <section className="card">
          <EmptyState title={t.empty} />
        </section>
      ) : null}
      <ul className="grid grid-cols-1 gap-4 lg:grid-cols-2">
        {images?.map((image) => (
          <li key={image.uid} className="card flex flex-col">
            <div className="flex flex-1 items-start gap-4 p-5">
              <ImageMark uid={image.uid} size="lg" />
              <div className="min-w-0 flex-1">
                <div className="flex flex-wrap items-center justify-between gap-2">
                  <h2 className="font-semibold">{image.name}</h2>
                  <StatusPill tone={tones[image.status]}>{t.state[image.status]}</StatusPill>
                </div>
                <p className="mt-1 text-ink-2">{image.description}</p>
                <p className="tnum mt-2 text-13 text-ink-3">
                  {[
                    t.minMemory(bytes(image.minMemoryBytes)),
                    image.minDiskBytes === 0 ? t.noDisk : t.minDisk(bytes(image.minDiskBytes)),
                    image.storedBytes > 0 ? t.stored(bytes(image.storedBytes)) : null,
                  ]
                    .filter(Boolean)
                    .join(' · ')}
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
            <div className="flex min-h-14 items-center justify-end gap-2 border-line border-t px-5 py-2.5">
              {image.status === 'building' ? (
                <div className="w-full">
                  <ProgressBar label={t.progress(image.name)} value={image.progress} />
                  <p className="mt-1.5 flex justify-between gap-3 text-13 text-ink-2">
                    <span className="truncate" role="status">
                      {image.step || t.building}
                    </span>
                    <span className="tnum">{image.progress} %</span>
                  </p>
                </div>
              ) : (
                <>
                  {image.status === 'absent' ? (
                    <span className="mr-auto text-13 text-ink-3">{t.takes(m.create.buildMinutes)}</span>
                  ) : null}
                  {image.status !== 'ready' ? (
                    <Button
                      icon={<Hammer aria-hidden="true" />}
                      busy={build.isPending && build.variables.imageUid === image.uid}
                      whyDisabled={why}
                      onClick={() => build.mutate({ imageUid: image.uid })}
                      aria-label={`${t.build} ${image.name}`}
                    >
                      {image.status === 'failed' ? t.buildAgain : t.build}
                    </Button>
                  ) : (
                    <Link href={paths.vmNew({ image: image.uid })} className={buttonClass('secondary')}>
                      <Plus aria-hidden="true" />
                      {t.use}
                    </Link>
                  )}
                </>
              )}
            </div>
          </li>
        ))}
      </ul>
    </div>
  )
}
