'use client'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Fragment, useEffect } from 'react'
import type { ActivityListInput } from '../../../server/views/index.ts'
import { useVms } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { dayKey, dayLabel } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState, Skeleton } from '../../ui/layout.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { ActivityLine } from './activity-line.tsx'

const t = m.images.activity

/** Who did what, newest first, under the days it happened on. */
export function ActivityFeed({
  vmId,
  filter = {},
  filtered = false,
}: {
  vmId?: number
  filter?: ActivityListInput
  filtered?: boolean
}) {
  const trpc = useTRPC()
  const query = useInfiniteQuery(
    trpc.activity.list.infiniteQueryOptions(vmId === undefined ? filter : { vmId }, {
      getNextPageParam: (page) => page.nextCursor,
      staleTime: 0,
      // While a filter changes, what was found before stays.
      placeholderData: (before) => before,
    }),
  )
  // Whatever happens to a VM changes its list entry, and most of it is activity too.
  const { vms } = useVms()
  const pulse = vms?.map((vm) => `${vm.id}${vm.state}${vm.action?.id ?? ''}${vm.action?.status ?? ''}`).join()
  const { refetch } = query
  // biome-ignore lint/correctness/useExhaustiveDependencies: the pulse is what it listens to
  useEffect(() => {
    void refetch()
  }, [pulse, refetch])
  const now = useNow()

  if (query.error && !query.data) return <LoadError error={query.error} />
  if (!query.data || now === 0)
    return (
      <div className="card divide-y divide-line" role="status" aria-label={m.common.loading}>
        {[0, 1, 2, 3, 4].map((row) => (
          <div key={row} className="flex h-14 items-center gap-4 px-5">
            <Skeleton className="h-4 w-12" />
            <Skeleton className="h-4 w-2/5" />
          </div>
        ))}
      </div>
    )
  const items = query.data.pages.flatMap((page) => page.items)
  if (items.length === 0)
    return (
      <section className="card">
        <EmptyState title={filtered ? t.noMatch : vmId === undefined ? t.empty : t.emptyVm} />
      </section>
    )
  return (
    <div>
      <ol className="card divide-y divide-line">
        {items.map((item, index) => {
          const before = items[index - 1]
          const newDay = !before || dayKey(before.at) !== dayKey(item.at)
          return (
            <Fragment key={item.id}>
              {newDay ? (
                <li className="bg-sunken px-5 py-2 font-medium text-ink-3 text-xs first:rounded-t-card">
                  {dayLabel(item.at, now, m.common)}
                </li>
              ) : null}
              <ActivityLine item={item} linkVm={vmId === undefined} />
            </Fragment>
          )
        })}
      </ol>
      <div className="mt-4 flex justify-center">
        {query.hasNextPage ? (
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t.more}
          </Button>
        ) : (
          <p className="text-13 text-ink-3">{t.end}</p>
        )}
      </div>
    </div>
  )
}
