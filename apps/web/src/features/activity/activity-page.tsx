'use client'
import { Download } from 'lucide-react'
import { useSearchParams } from 'next/navigation'
import { useDeferredValue, useMemo, useState } from 'react'
import { type ActivityGroup, activityGroups } from '../../../server/views/activity.ts'
import type { ActivityListInput } from '../../../server/views/index.ts'
import { useTRPCClient } from '../../data/trpc.ts'
import { changeAddress } from '../../lib/address-query.ts'
import { download, toCsv } from '../../lib/csv.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Checkbox } from '../../ui/field.tsx'
import { ClearFilters, Filter } from '../../ui/filter.tsx'
import { PageHeader } from '../../ui/layout.tsx'
import { SearchField } from '../../ui/search-field.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
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

  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} description={t.description} actions={<Export filter={filter} />} />
      <div className="flex flex-wrap items-center gap-2">
        <SearchField
          label={t.search}
          placeholder={t.searchPlaceholder}
          value={query}
          onChange={(q) => changeAddress({ q })}
          className="sm:max-w-72"
        />
        <Filter
          label={t.kind}
          values={kinds}
          options={groups.map((group) => ({ value: group, label: t.kinds[group] }))}
          onChange={(chosen) => changeAddress({ kind: chosen.join() })}
        />
        <Segmented
          label={t.period}
          value={period}
          options={(Object.keys(periods) as Period[]).map((value) => ({ value, label: t.periods[value] }))}
          onChange={(value) => changeAddress({ period: value === 'all' ? '' : value })}
        />
        <span className="px-1">
          <Checkbox
            label={t.failedOnly}
            checked={failed}
            onChange={(event) => changeAddress({ failed: event.target.checked ? 'yes' : '' })}
          />
        </span>
        {filtered ? (
          <ClearFilters
            label={m.vms.clearFilters}
            onClear={() => changeAddress({ q: '', kind: '', period: '', failed: '' })}
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
      tellRefusal(failure)
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
