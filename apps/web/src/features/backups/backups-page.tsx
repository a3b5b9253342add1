'use client'
import { ShieldCheck } from 'lucide-react'
import { useSearchParams } from 'next/navigation'
import { useState } from 'react'
import { useSession } from '../../data/hooks.ts'
import { useChosenProject } from '../../lib/chosen-project.ts'
import { m } from '../../messages/all.ts'
import { Card, EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { type Asking, BackupDialogs } from './backup-dialogs.tsx'
import { BackupRow } from './backup-row.tsx'
import { PlaceCard } from './place-card.tsx'
import { useBackups } from './use-backups.ts'
import { VmBackupRow } from './vm-backup-row.tsx'

const t = m.backups

/** Where backups go and when; how each VM stands; all backups, or those of one VM (`?vm=`). */
export function BackupsPage() {
  const store = useBackups()
  const { session } = useSession()
  const chosen = useChosenProject()
  const only = Number(useSearchParams().get('vm')) || null
  const [asking, setAsking] = useState<Asking | null>(null)
  const { data, error } = store
  const admin = session?.user?.role === 'admin'
  const mine = (project: { id: number } | null) => chosen === null || project?.id === chosen
  const vms = data?.vms.filter(({ vm, project }) => (only === null ? mine(project) : vm.id === only))
  const backups = data?.backups.filter(({ vm, project }) => (only === null ? mine(project) : vm?.id === only))
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} description={t.description} />
      {error && !data ? <LoadError error={error} /> : null}
      {!data && !error ? (
        <div role="status" aria-label={m.common.loading}>
          <Skeleton className="h-64 rounded-card!" />
        </div>
      ) : null}
      {data ? (
        <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)]">
          <div className="flex min-w-0 flex-col gap-5">
            <Card title={t.vms} flush>
              {vms?.length === 0 ? <p className="px-5 py-4 text-13 text-ink-3">{t.noVms}</p> : null}
              <ul className="divide-y divide-line">
                {vms?.map((view) => (
                  <VmBackupRow key={view.vm.id} view={view} store={store} planned={isPlanned(data)} />
                ))}
              </ul>
            </Card>
            <section className="card min-w-0" aria-label={t.all}>
              {backups?.length === 0 ? (
                <EmptyState
                  art={<ShieldCheck className="size-8 text-ink-3" aria-hidden="true" />}
                  title={t.empty}
                >
                  {t.emptyText}
                </EmptyState>
              ) : (
                <ul className="divide-y divide-line">
                  {backups?.map((backup) => (
                    <BackupRow key={backup.id} backup={backup} store={store} onAsk={setAsking} />
                  ))}
                </ul>
              )}
            </section>
          </div>
          <div className="flex min-w-0 flex-col gap-5 max-lg:order-first">
            {data.hosts.map((host) => (
              <PlaceCard key={host.id} host={host} timezone={data.timezone} store={store} admin={admin} />
            ))}
          </div>
        </div>
      ) : null}
      {asking ? <BackupDialogs asking={asking} store={store} onClose={() => setAsking(null)} /> : null}
    </div>
  )
}

const isPlanned = (view: NonNullable<ReturnType<typeof useBackups>['data']>) =>
  view.hosts.some(({ plan }) => plan !== null)
