'use client'
import { Download, Search } from 'lucide-react'
import { useSearchParams } from 'next/navigation'
import { useDeferredValue, useMemo, useState } from 'react'
import { type ActivityGroup, activityGroups } from '../../../server/views/activity.ts'
import type { ActivityListInput } from '../../../server/views/index.ts'
import { errorMessage } from '../../data/errors.ts'
import { useTRPCClient } from '../../data/trpc.ts'
import { download, toCsv } from '../../lib/csv.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Checkbox, controlClass } from '../../ui/field.tsx'
import { ClearFilters, Filter } from '../../ui/filter.tsx'
import { PageHeader } from '../../ui/layout.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { toast } from '../../ui/toast.tsx'
import { ActivityFeed } from './activity-feed.tsx'

const t = m.images.activity
const groups = Object.keys(activityGroups) as ActivityGroup[]
const periods = { all: 0, day: 1, week: 7, month: 30 } as const
type Period = keyof typeof periods
/** Far more than anybody reads; an export of more would be a dump of the database. */
const exportLimit = 10_000

export function ActivityPage() {
  const search = useSearchParams()
  const query = search.get('q') ?? ''
  const kinds = groups.filter((group) => search.get('kind')?.split(',').includes(group))
  const period = (Object.keys(periods) as Period[]).find((each) => each === search.get('period')) ?? 'all'
  const failed = search.has('failed')
  const filtered = Boolean(query.trim()) || kinds.length > 0 || period !== 'all' || failed
  const words = useDeferredValue(query.trim())
  const kindList = kinds.join()
  const filter = useMemo((): ActivityListInput => {
    const days = periods[period]
    return {
      ...(words ? { query: words } : {}),
      ...(kindList ? { groups: kindList.split(',') as ActivityGroup[] } : {}),
      ...(failed ? { failed } : {}),
      // To the minute, so that the same question stays the same question.
      ...(days
        ? { since: new Date(Math.floor(Date.now() / 60_000) * 60_000 - days * 86_400_000).toISOString() }
        : {}),
    }
  }, [words, kindList, failed, period])

  /** The address bar carries the view. */
  function change(part: { q?: string; kind?: string; period?: string; failed?: string }) {
    const next = new URLSearchParams(search)
    for (const [key, value] of Object.entries(part)) {
      if (value) next.set(key, value)
      else next.delete(key)
    }
    const text = next.toString()
    window.history.replaceState(null, '', window.location.pathname + (text ? `?${text}` : ''))
  }

  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} description={t.description} actions={<Export filter={filter} />} />
      <div className="flex flex-wrap items-center gap-2">
        <label className="relative min-w-52 flex-1 sm:max-w-72">
          <span className="sr-only">{t.search}</span>
          <Search
            className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3"
            aria-hidden="true"
          />
          <input
            type="search"
            value={query}
            onChange={(event) => change({ q: event.target.value })}
            placeholder={t.searchPlaceholder}
            className={`${controlClass} h-9 pl-9`}
          />
        </label>
        <Filter
          label={t.kind}
          values={kinds}
          options={groups.map((group) => ({ value: group, label: t.kinds[group] }))}
          onChange={(chosen) => change({ kind: chosen.join() })}
        />
        <Segmented
          label={t.period}
          value={period}
          options={(Object.keys(periods) as Period[]).map((value) => ({ value, label: t.periods[value] }))}
          onChange={(value) => change({ period: value === 'all' ? '' : value })}
        />
        <span className="px-1">
          <Checkbox
            label={t.failedOnly}
            checked={failed}
            onChange={(event) => change({ failed: event.target.checked ? 'yes' : '' })}
          />
        </span>
        {filtered ? (
          <ClearFilters
            label={m.vms.clearFilters}
            onClear={() => change({ q: '', kind: '', period: '', failed: '' })}
          />
        ) : null}
      </div>
      <ActivityFeed filter={filter} filtered={filtered} />
    </div>
  )
}

/** Everything the filter lets through, as a file for a spreadsheet. */
function Export({ filter }: { filter: ActivityListInput }) {
  const trpc = useTRPCClient()
  const [busy, setBusy] = useState(false)
  async function run() {
    setBusy(true)
    try {
      const { at, who, by, from, what, status, error, vm } = t.columns
      const rows: (string | null)[][] = [[at, who, by, from, what, vm, status, error]]
      let cursor: number | null = null
      do {
        const page: Awaited<ReturnType<typeof trpc.activity.list.query>> = await trpc.activity.list.query({
          ...filter,
          cursor,
          limit: 200,
        })
        for (const item of page.items)
          rows.push([
            ...[item.at, item.actor.name, item.actor.kind, item.from, item.summary],
            ...[item.vm?.name ?? null, item.status, item.errorMessage],
          ])
        cursor = page.nextCursor
      } while (cursor !== null && rows.length <= exportLimit)
      download(`hearth-activity-${new Date().toISOString().slice(0, 10)}.csv`, toCsv(rows), 'text/csv')
      toast.success(t.exported(rows.length - 1))
    } catch (failure) {
      toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button icon={<Download aria-hidden="true" />} busy={busy} onClick={() => void run()}>
      {busy ? t.exporting : t.export}
    </Button>
  )
}
