'use client'
import { useQuery } from '@tanstack/react-query'
import { FileJson } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { useAddressQuery } from '../../lib/address-query.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { SearchField } from '../../ui/search-field.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { TextLink } from '../shell/text-link.tsx'
import { ApiOperation } from './api-operation.tsx'
import { type Description, grouped, operationsOf } from './description.ts'

const t = m.api

async function fetchDescription(): Promise<Description> {
  const response = await fetch(paths.openApi())
  if (!response.ok) throw new Error(`${response.status}`)
  return (await response.json()) as Description
}

/** Every call of the API, from the same description that programs read. */
export function ApiPage() {
  const [query, setQuery] = useAddressQuery()
  // It changes with the portal's version, and this page with it.
  const { data: description, error } = useQuery({
    queryKey: ['openapi'],
    queryFn: fetchDescription,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const operations = useMemo(() => (description ? operationsOf(description) : []), [description])
  const groups = useMemo(() => grouped(operations, query), [operations, query])
  const loaded = description !== undefined
  useEffect(() => {
    if (!loaded) return
    const wanted = document.getElementById(window.location.hash.slice(1))
    if (!(wanted instanceof HTMLDetailsElement)) return
    wanted.open = true
    wanted.scrollIntoView({ block: 'start' })
  }, [loaded])
  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={t.title}
        description={
          <>
            {t.description} <TextLink href={paths.tokens()}>{t.token}</TextLink>
          </>
        }
        actions={
          <a href={paths.openApi()} download="hearth-openapi.json" className={buttonClass('secondary', 'md')}>
            <FileJson aria-hidden="true" />
            {t.download}
          </a>
        }
      />
      <SearchField label={t.search} value={query} onChange={setQuery} />
      {error && !description ? <LoadError error={error} /> : null}
      {!description && !error ? <Skeleton className="h-96 rounded-card!" /> : null}
      {description && groups.length === 0 ? (
        <section className="card">
          <EmptyState title={t.nothing}>{t.nothingText}</EmptyState>
        </section>
      ) : null}
      {description
        ? groups.map((group) => (
            <section key={group.tag} className="card min-w-0">
              <h2 lang="en" className="border-line border-b px-5 py-3 font-semibold text-sm">
                {group.tag}
              </h2>
              <div className="divide-y divide-line">
                {group.operations.map((operation) => (
                  <ApiOperation key={operation.id} operation={operation} description={description} />
                ))}
              </div>
            </section>
          ))
        : null}
    </div>
  )
}
