'use client'
import { Plus, Search } from 'lucide-react'
import Link from 'next/link'
import { useDeferredValue, useState } from 'react'
import { useHosts, useVms, type VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { controlClass } from '../../ui/field.tsx'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { FirstVm } from './first-vm.tsx'
import { HostStrip } from './host-strip.tsx'
import { VmCard, VmRow } from './vm-row.tsx'
import { matchesVm } from './vm-status.ts'

export function VmList() {
  const { vms, error } = useVms()
  const { hosts } = useHosts()
  const [query, setQuery] = useState('')
  const filter = useDeferredValue(query.trim())
  const shown = vms?.filter((vm) => !filter || matchesVm(vm, filter))
  const create = (
    <Link href={paths.vmNew()} className={buttonClass('primary')}>
      <Plus aria-hidden="true" />
      {m.vms.create}
    </Link>
  )
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={m.vms.title} actions={vms && vms.length > 0 ? create : null} />
      <HostStrip hosts={hosts} vms={vms} />
      {error && !vms ? <LoadError error={error} /> : null}
      {vms && vms.length > 0 ? (
        <div className="flex items-center justify-between gap-4">
          <label className="relative w-full sm:max-w-80">
            <span className="sr-only">{m.vms.search}</span>
            <Search
              className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3"
              aria-hidden="true"
            />
            <input
              type="search"
              value={query}
              onChange={(event) => setQuery(event.target.value)}
              placeholder={m.vms.searchPlaceholder}
              className={`${controlClass} h-9 pl-9`}
            />
          </label>
          <span className="tnum shrink-0 text-13 text-ink-3" aria-live="polite">
            {m.vms.count(shown?.length ?? 0)}
          </span>
        </div>
      ) : null}
      {vms === undefined && !error ? <ListSkeleton /> : null}
      {vms?.length === 0 ? <FirstVm /> : null}
      {shown && vms && vms.length > 0 ? (
        shown.length > 0 ? (
          <VmTable vms={shown} />
        ) : (
          <section className="card">
            <EmptyState
              title={m.vms.noMatch(query)}
              action={<Button onClick={() => setQuery('')}>{m.vms.clearSearch}</Button>}
            />
          </section>
        )
      ) : null}
    </div>
  )
}

function VmTable({ vms }: { vms: VmView[] }) {
  const head = 'px-3 py-2.5 text-left font-medium text-xs text-ink-3 first:pl-5 last:pr-3'
  return (
    <>
      <div className="card hidden overflow-hidden lg:block">
        <table className="w-full table-fixed border-collapse" aria-label={m.vms.title}>
          <thead className="border-line border-b bg-sunken">
            <tr>
              <th className={`${head} w-[27%]`}>{m.vms.columns.name}</th>
              <th className={`${head} w-[18%]`}>{m.vms.columns.state}</th>
              <th className={`${head} w-[19%]`}>{m.vms.columns.size}</th>
              <th className={`${head} w-[20%]`}>{m.vms.columns.address}</th>
              <th className={`${head} w-[9%]`}>{m.vms.columns.uptime}</th>
              <th className={`${head} w-[7%]`}>
                <span className="sr-only">{m.vms.columns.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {vms.map((vm) => (
              <VmRow key={vm.id} vm={vm} />
            ))}
          </tbody>
        </table>
      </div>
      <ul className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:hidden">
        {vms.map((vm) => (
          <VmCard key={vm.id} vm={vm} />
        ))}
      </ul>
    </>
  )
}

function ListSkeleton() {
  return (
    <div role="status" aria-label={m.common.loading} className="flex flex-col gap-5">
      <Skeleton className="h-9 w-full sm:w-80" />
      <div className="card divide-y divide-line">
        {[0, 1, 2].map((row) => (
          <div key={row} className="flex h-16 items-center gap-6 px-5">
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
