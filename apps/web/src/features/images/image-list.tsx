'use client'
import { Link2, Upload } from 'lucide-react'
import { type ImageView, useImages } from '../../data/hooks.ts'
import { useAddressDialog, useAddressQuery } from '../../lib/address-query.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { SearchField } from '../../ui/search-field.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { ImageCard } from './image-card.tsx'
import { imageDescription } from './image-description.ts'
import { ImageImport } from './image-import.tsx'
import { ImageUpload } from './image-upload.tsx'
import { useImageActions } from './use-image-actions.ts'

const t = m.images
const groups = ['own', 'here', 'catalogue'] as const

function groupOf(image: ImageView): (typeof groups)[number] {
  if (image.source !== 'build' && image.source !== 'download') return 'own'
  return image.status === 'absent' ? 'catalogue' : 'here'
}

export function ImageList() {
  const { images, error } = useImages()
  const actions = useImageActions()
  const [wanted, setWanted] = useAddressQuery()
  const [adding, setAdding] = useAddressDialog(['address', 'upload'])
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  const found = images?.filter((image) => {
    const text = [image.name, image.uid, imageDescription(image), image.project?.name].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={t.title}
        description={t.description}
        actions={
          <>
            <Button icon={<Link2 aria-hidden="true" />} onClick={() => setAdding('address')}>
              {t.addAddress}
            </Button>
            <Button icon={<Upload aria-hidden="true" />} onClick={() => setAdding('upload')}>
              {t.addUpload}
            </Button>
          </>
        }
      />
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
      {images && images.length > 0 ? (
        <SearchField label={t.search} value={wanted} onChange={setWanted} />
      ) : null}
      {images?.length && found?.length === 0 ? <p className="text-ink-2">{t.nothingFound}</p> : null}
      {groups.map((group) => {
        const members = found?.filter((image) => groupOf(image) === group) ?? []
        if (members.length === 0) return null
        return (
          <section key={group} aria-labelledby={`images-${group}`} className="flex flex-col gap-3">
            <h2 id={`images-${group}`} className="font-semibold text-13 text-ink-3">
              {t.groups[group]}
            </h2>
            <ul className="grid grid-cols-1 gap-4 lg:grid-cols-2">
              {members.map((image) => (
                <ImageCard key={image.uid} image={image} actions={actions} />
              ))}
            </ul>
          </section>
        )
      })}
      {adding === 'address' ? <ImageImport onClose={() => setAdding(null)} /> : null}
      {adding === 'upload' ? <ImageUpload onClose={() => setAdding(null)} /> : null}
    </div>
  )
}
