'use client'
import { useInfiniteQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { Fragment, useEffect } from 'react'
import { type ActivityView, useVms } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { dayKey, dayLabel, timeOfDay } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState, Skeleton } from '../../ui/layout.tsx'
import { StatusDot, type Tone } from '../../ui/status.tsx'
import { LoadError } from '../shell/load-error.tsx'

const t = m.images.activity
const tones: Record<ActivityView['status'], Tone> = { running: 'busy', success: 'ok', error: 'bad' }

/** Who did what, newest first, under the days it happened on. */
export function ActivityFeed({ vmId }: { vmId?: number }) {
  const trpc = useTRPC()
  const query = useInfiniteQuery(
    trpc.activity.list.infiniteQueryOptions(vmId === undefined ? {} : { vmId }, {
      getNextPageParam: (page) => page.nextCursor,
      staleTime: 0,
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
        <EmptyState title={vmId === undefined ? t.empty : t.emptyVm} />
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

function ActivityLine({ item, linkVm }: { item: ActivityView; linkVm: boolean }) {
  const who = item.actor.kind === 'system' ? t.system : item.actor.name
  return (
    <li className="flex items-start gap-4 px-5 py-3">
      <time dateTime={item.at} className="tnum w-17 shrink-0 whitespace-nowrap pt-px text-13 text-ink-3">
        {timeOfDay(item.at)}
      </time>
      <span className="mt-[7px]">
        <StatusDot tone={tones[item.status]} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="break-words">
          <Summary item={item} linkVm={linkVm} />
          <span className="sr-only">, {t.status[item.status]}</span>
        </p>
        {item.errorMessage ? (
          <p className="mt-0.5 break-words text-13 text-bad">{item.errorMessage}</p>
        ) : null}
        <p className="text-13 text-ink-3">
          {who}
          {item.actor.kind === 'token' ? ` ${t.api}` : ''}
        </p>
      </div>
    </li>
  )
}

/** The sentence, with the name of its VM as the way to it. */
function Summary({ item, linkVm }: { item: ActivityView; linkVm: boolean }) {
  const { vm, summary } = item
  const at = vm && linkVm && !vm.deleted ? summary.indexOf(vm.name) : -1
  if (!vm || at < 0) return summary
  return (
    <>
      {summary.slice(0, at)}
      <Link
        href={paths.vm(vm.id)}
        className="font-medium underline decoration-line-strong underline-offset-3 hover:decoration-ember"
      >
        {vm.name}
      </Link>
      {summary.slice(at + vm.name.length)}
    </>
  )
}
