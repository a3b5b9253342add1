'use client'
import { Plus } from 'lucide-react'
import Link from 'next/link'
import { useSearchParams } from 'next/navigation'
import { lazy, Suspense, useDeferredValue, useEffect, useMemo, useState } from 'react'
import { useHosts, useVms } from '../../data/hooks.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { EmptyState, Notice, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { FirstVm } from './first-vm.tsx'
import { applyView, type ListView, parseView, plainView, viewToSearch } from './list-view.ts'
import { VmTable } from './vm-table.tsx'
import { VmToolbar } from './vm-toolbar.tsx'

// What can be done with several arrives with the first that is chosen.
const VmBulk = lazy(() => import('./vm-bulk.tsx').then((part) => ({ default: part.VmBulk })))

export function VmList() {
  const { vms, error } = useVms()
  const search = useSearchParams()
  const view = useMemo(() => parseView(new URLSearchParams(search)), [search])
  const settled = useDeferredValue(view)
  const shown = useMemo(() => (vms ? applyView(vms, settled) : []), [vms, settled])
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set())
  // Stays when the last is unchosen: what became of each is still to be read.
  const [selecting, setSelecting] = useState(false)
  if (selected.size > 0 && !selecting) setSelecting(true)

  // What has gone is not selected any more.
  useEffect(() => {
    if (!vms) return
    const there = new Set(vms.map((vm) => vm.id))
    setSelected((was) =>
      [...was].every((id) => there.has(id)) ? was : new Set([...was].filter((id) => there.has(id))),
    )
  }, [vms])

  function change(part: Partial<ListView>) {
    // Next follows the browser's history here without asking the server for the page again.
    window.history.replaceState(null, '', window.location.pathname + viewToSearch({ ...view, ...part }))
  }

  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={m.vms.title}
        description={vms && vms.length > 0 ? <Count shown={shown.length} all={vms.length} /> : undefined}
        actions={
          vms && vms.length > 0 ? (
            <Link href={paths.vmNew()} className={buttonClass('primary')}>
              <Plus aria-hidden="true" />
              {m.vms.create}
            </Link>
          ) : null
        }
      />
      <HostsAway />
      {error && !vms ? <LoadError error={error} /> : null}
      {vms === undefined && !error ? <ListSkeleton /> : null}
      {vms?.length === 0 ? <FirstVm /> : null}
      {vms && vms.length > 0 ? (
        <>
          <VmToolbar vms={vms} view={view} onChange={change} />
          {shown.length > 0 ? (
            <VmTable vms={shown} view={view} onView={change} selected={selected} onSelected={setSelected} />
          ) : (
            <section className="card">
              <EmptyState
                title={view.query.trim() ? m.vms.noMatch(view.query.trim()) : m.vms.noneLikeThis}
                action={<Button onClick={() => change(plainView)}>{m.vms.clearFilters}</Button>}
              />
            </section>
          )}
          {selecting ? (
            <Suspense>
              <VmBulk vms={vms} selected={selected} onClear={() => setSelected(new Set())} />
            </Suspense>
          ) : null}
        </>
      ) : null}
    </div>
  )
}

function Count({ shown, all }: { shown: number; all: number }) {
  return (
    <span className="tnum" aria-live="polite">
      {shown === all ? m.vms.count(all) : m.vms.countOf(shown, all)}
    </span>
  )
}

/** While a host is away its VMs are as they were: said once, above all of them. */
function HostsAway() {
  const { hosts } = useHosts()
  const now = useNow()
  const away = hosts?.filter((host) => !host.online) ?? []
  return away.map((host) => (
    <Notice
      key={host.id}
      tone="warn"
      title={
        host.lastSeenAt
          ? m.vms.hosts.awayFor(host.name, ago(host.lastSeenAt, now, m.common.justNow))
          : m.vms.away.title(host.name)
      }
    >
      {m.vms.hosts.awayList}
    </Notice>
  ))
}

function ListSkeleton() {
  return (
    <div role="status" aria-label={m.common.loading} className="flex flex-col gap-5">
      <div className="flex gap-2">
        <Skeleton className="h-9 w-full sm:w-80" />
        <Skeleton className="hidden h-9 w-24 sm:block" />
      </div>
      <div className="card divide-y divide-line">
        {[0, 1, 2, 3, 4].map((row) => (
          <div key={row} className="flex h-15 items-center gap-6 px-5">
            <Skeleton className="h-7 w-44" />
            <Skeleton className="h-6 w-24" />
            <Skeleton className="hidden h-4 w-40 sm:block" />
            <Skeleton className="ml-auto hidden h-4 w-28 md:block" />
          </div>
        ))}
      </div>
    </div>
  )
}
