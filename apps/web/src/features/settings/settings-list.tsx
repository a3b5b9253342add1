'use client'
import type { ReactNode } from 'react'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { LoadError } from '../shell/load-error.tsx'

/** A page of things one has: what it is about, how to add one, and the things, or what to know while there are none. */
export function SettingsList<T extends { id: number }>({
  title,
  description,
  add,
  items,
  error,
  art,
  empty,
  emptyText,
  render,
}: {
  title: string
  description: ReactNode
  add: ReactNode
  items: readonly T[] | undefined
  error: unknown
  art: ReactNode
  empty: string
  emptyText: string
  render: (item: T) => ReactNode
}) {
  const some = items !== undefined && items.length > 0
  return (
    <>
      <PageHeader title={title} description={description} actions={some ? add : null} />
      {error && !items ? <LoadError error={error} /> : null}
      {!items && !error ? <Skeleton className="h-32 rounded-card!" /> : null}
      {items?.length === 0 ? (
        <section className="card">
          <EmptyState art={art} title={empty} action={add}>
            {emptyText}
          </EmptyState>
        </section>
      ) : null}
      {some ? <ul className="card divide-y divide-line">{items.map(render)}</ul> : null}
    </>
  )
}
