'use client'
import { useQuery } from '@tanstack/react-query'
import { ChevronRight, CircleAlert, CircleCheck, Plus, TriangleAlert } from 'lucide-react'
import Link from 'next/link'
import { lazy, Suspense } from 'react'
import { useAllVms, useHosts, useImages, useProjects, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { Card, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { ActivityLine } from '../activity/activity-line.tsx'
import { useBackupsView } from '../backups/use-backups.ts'
import { FirstVm } from '../vms/first-vm.tsx'
import { Busiest } from './busiest.tsx'
import { HostCard } from './host-card.tsx'
import { MyVms } from './my-vms.tsx'
import { UnderWay } from './under-way.tsx'
import { OwnQuota, WhoUsesWhat } from './usage.tsx'
import { useHostFigures } from './use-host-figures.ts'
import { type Warning, warningsOf } from './warnings.ts'

const HostHistory = lazy(() => import('./host-history.tsx'))
const t = m.dashboard

/** The home at a glance: what needs somebody, how its boxes are, who uses them, what is under way, what happened. */
export function Dashboard() {
  const { session } = useSession()
  const { hosts } = useHosts()
  const { images } = useImages()
  const { vms } = useAllVms()
  const { projects } = useProjects()
  const { data: backups } = useBackupsView()
  const figures = useHostFigures(hosts)
  const admin = session?.user?.role === 'admin'
  const temperatures = new Map(
    [...figures].flatMap(([id, { temperature }]) => (temperature === null ? [] : [[id, temperature]])),
  )
  const known = hosts && images && vms && projects && backups
  const warnings = known ? warningsOf({ hosts, images, vms, projects, temperatures, backups }) : null
  const running = vms?.filter((vm) => vm.state === 'running').length ?? 0
  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={session?.homeName || t.title}
        description={vms ? t.subtitle(running, vms.length) : <Skeleton className="mt-1 h-4.5 w-40" />}
        actions={
          <Link href={paths.vmNew()} className={buttonClass('primary')}>
            <Plus aria-hidden="true" />
            {m.vms.create}
          </Link>
        }
      />
      {vms?.length === 0 ? <FirstVm /> : null}
      <Warnings warnings={warnings} />
      {session && !admin ? (
        // What a member asks first: mine, and how much more. The box comes after it.
        <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1.15fr)_minmax(0,1fr)]">
          <MyVms vms={vms} />
          <OwnQuota projects={projects} />
        </div>
      ) : null}
      <section aria-label={t.hosts}>
        <h2 className="sr-only">{t.hosts}</h2>
        {hosts ? (
          <ul className={hosts.length > 1 ? 'grid grid-cols-1 gap-5 2xl:grid-cols-2' : ''}>
            {hosts.map((host) => (
              <HostCard
                key={host.id}
                host={host}
                vms={admin ? vms?.filter((vm) => vm.host.id === host.id) : undefined}
                figures={figures.get(host.id)}
              />
            ))}
          </ul>
        ) : (
          <Skeleton className="h-43 rounded-card!" />
        )}
      </section>
      <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.15fr)]">
        <div className="flex min-w-0 flex-col gap-5">
          <UnderWay vms={vms} images={images} />
          {!admin ? null : projects && projects.length > 1 ? (
            <WhoUsesWhat projects={projects} />
          ) : (
            <OwnQuota projects={projects} />
          )}
          <Busiest vms={vms} />
        </div>
        <Recent />
      </div>
      {/* Below everything: it may come when the rest is there. */}
      <Suspense fallback={<Skeleton className="h-64 rounded-card!" />}>
        {(hosts ?? []).map((host) => (
          <HostHistory key={host.id} host={host} />
        ))}
      </Suspense>
    </div>
  )
}

function Warnings({ warnings }: { warnings: readonly Warning[] | null }) {
  if (!warnings) return <Skeleton className="h-12 rounded-card!" />
  if (warnings.length === 0)
    return (
      <p className="card flex h-12 items-center gap-2.5 px-5 text-ink-2">
        <CircleCheck className="size-4.5 text-ok" aria-hidden="true" />
        {t.allWell}
      </p>
    )
  return (
    <Card title={t.attention} flush>
      <ul className="divide-y divide-line">
        {warnings.map((warning) => (
          <li key={warning.id} className="relative flex items-start gap-3 px-5 py-3 hover:bg-raised/45">
            {warning.tone === 'bad' ? (
              <CircleAlert className="mt-0.5 size-4.5 shrink-0 text-bad" aria-hidden="true" />
            ) : (
              <TriangleAlert className="mt-0.5 size-4.5 shrink-0 text-warn" aria-hidden="true" />
            )}
            <div className="min-w-0 flex-1">
              {warning.href ? (
                <Link
                  href={warning.href}
                  className="font-medium outline-offset-[-2px] after:absolute after:inset-0"
                >
                  {warning.title}
                </Link>
              ) : (
                <span className="font-medium">{warning.title}</span>
              )}
              {warning.text ? <p className="line-clamp-2 text-13 text-ink-2">{warning.text}</p> : null}
            </div>
            {warning.href ? <ChevronRight className="mt-0.5 size-4 text-ink-3" aria-hidden="true" /> : null}
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Recent() {
  const trpc = useTRPC()
  const { data } = useQuery(
    trpc.activity.list.queryOptions({ limit: 8 }, { refetchInterval: 20_000, staleTime: 0 }),
  )
  return (
    <Card
      title={t.recent}
      flush
      aside={
        <Link href={paths.activity()} className="font-medium text-13 text-ember hover:underline">
          {t.allActivity}
        </Link>
      }
    >
      {data ? (
        <ol className="divide-y divide-line">
          {data.items.map((item) => (
            <ActivityLine key={item.id} item={item} linkVm compact />
          ))}
        </ol>
      ) : (
        <div className="divide-y divide-line" role="status" aria-label={m.common.loading}>
          {[0, 1, 2, 3, 4, 5, 6, 7].map((row) => (
            <div key={row} className="flex h-15 items-center px-5">
              <Skeleton className="h-4 w-3/5" />
            </div>
          ))}
        </div>
      )}
    </Card>
  )
}
