'use client'
import { HardDrive, Link2, Plus, Trash2, Unlink } from 'lucide-react'
import Link from 'next/link'
import { useState } from 'react'
import type { VolumeView } from '../../../server/views/index.ts'
import { useAddressDialog, useAddressQuery } from '../../lib/address-query.ts'
import { useChosenProject } from '../../lib/chosen-project.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { SearchField } from '../../ui/search-field.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { type DiskAsking, DiskDialogs } from '../vms/disk-dialogs.tsx'
import { DiskRow } from '../vms/disk-row.tsx'
import { useVolumes, type Volumes } from '../vms/use-volumes.ts'
import { AttachVolume, MakeVolume } from './volume-dialogs.tsx'

const t = m.volumes

type Asking = DiskAsking | { what: 'attach'; volume: VolumeView }

/** Disks of their own, whether a VM has them or not. */
export function VolumesPage() {
  const store = useVolumes()
  const chosen = useChosenProject()
  const [wanted, setWanted] = useAddressQuery()
  const [asking, setAsking] = useState<Asking | null>(null)
  const [making, setMaking] = useAddressDialog(['disk'])
  const { volumes, error } = store
  const mine = volumes?.filter(({ project }) => chosen === null || project.id === chosen)
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  const found = mine?.filter(({ name, project, vm }) => {
    const text = [name, project.name, vm?.name].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const make = (
    <Button variant="primary" icon={<Plus aria-hidden="true" />} onClick={() => setMaking('disk')}>
      {t.make}
    </Button>
  )
  const close = () => setAsking(null)
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} description={t.description} actions={mine?.length === 0 ? null : make} />
      {error && !volumes ? <LoadError error={error} /> : null}
      {!volumes && !error ? (
        <div role="status" aria-label={m.common.loading}>
          <Skeleton className="h-64 rounded-card!" />
        </div>
      ) : null}
      {mine?.length === 0 ? (
        <section className="card">
          <EmptyState
            art={<HardDrive className="size-8 text-ink-3" aria-hidden="true" />}
            title={t.empty}
            action={make}
          >
            {t.emptyText}
          </EmptyState>
        </section>
      ) : null}
      {mine && mine.length > 0 ? (
        <>
          <SearchField label={t.search} value={wanted} onChange={setWanted} />
          <section className="card">
            {found?.length === 0 ? <p className="px-5 py-4 text-13 text-ink-3">{t.noneFound}</p> : null}
            <ul className="divide-y divide-line">
              {found?.map((volume) => (
                <VolumeRow key={volume.id} volume={volume} store={store} onAsk={setAsking} />
              ))}
            </ul>
          </section>
        </>
      ) : null}
      {making ? <MakeVolume store={store} onClose={() => setMaking(null)} /> : null}
      {asking?.what === 'attach' ? (
        <AttachVolume volume={asking.volume} store={store} onClose={close} />
      ) : null}
      {asking && asking.what !== 'attach' ? (
        <DiskDialogs asking={asking} store={store} onClose={close} />
      ) : null}
    </div>
  )
}

function VolumeRow({
  volume,
  store,
  onAsk,
}: {
  volume: VolumeView
  store: Volumes
  onAsk: (asking: Asking) => void
}) {
  const { vm, can, project } = volume
  return (
    <DiskRow
      roomy
      name={volume.name}
      about={
        <>
          {vm ? (
            <Link href={paths.vmDisks(vm.id)} className="text-ember hover:underline">
              {t.of(vm.name)}
            </Link>
          ) : (
            t.free
          )}
          {` · ${project.name}`}
        </>
      }
      size={volume.bytes}
      used={volume.usedBytes}
      device={volume.device}
      status={
        volume.status === 'ready' ? null : (
          <StatusPill tone={volume.status === 'missing' ? 'bad' : 'busy'}>
            {m.disks.status[volume.status]}
          </StatusPill>
        )
      }
      actions={
        <>
          {vm ? (
            <Button
              size="sm"
              icon={<Unlink aria-hidden="true" />}
              busy={store.detach.isPending && store.detach.variables.id === volume.id}
              whyDisabled={can.detach.why}
              onClick={() => store.detachUndoably(volume)}
            >
              {m.disks.detach}
            </Button>
          ) : (
            <Button
              size="sm"
              icon={<Link2 aria-hidden="true" />}
              whyDisabled={can.attach.why}
              onClick={() => onAsk({ what: 'attach', volume })}
            >
              {m.disks.attach}
            </Button>
          )}
          <Button size="sm" whyDisabled={can.resize.why} onClick={() => onAsk({ what: 'grow', volume })}>
            {m.disks.grow.action}
          </Button>
          <Button
            size="sm"
            variant="ghost"
            aria-label={m.disks.delete.title(volume.name)}
            icon={<Trash2 aria-hidden="true" />}
            whyDisabled={can.delete.why}
            onClick={() => onAsk({ what: 'delete', volume })}
          />
        </>
      }
    />
  )
}
