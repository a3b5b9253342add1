'use client'
import { HardDrive, Link2, MoreHorizontal, Plus, Trash2, Unlink } from 'lucide-react'
import { useState } from 'react'
import type { VolumeView } from '../../../server/views/index.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { Card, Notice, Skeleton } from '../../ui/layout.tsx'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { type DiskAsking, DiskDialogs } from './disk-dialogs.tsx'
import { DiskRow } from './disk-row.tsx'
import { useVolumes, type Volumes } from './use-volumes.ts'
import { useVmPage } from './vm-context.ts'

const t = m.disks

/** The disks of a VM, and those that wait for one. */
export function VmDisksTab() {
  const { vm } = useVmPage()
  const store = useVolumes()
  const [asking, setAsking] = useState<DiskAsking | null>(null)
  const { volumes, error } = store
  if (error && !volumes) return <LoadError error={error} />
  if (!volumes) return <Skeleton className="h-64 rounded-card!" />
  const own = volumes.filter((volume) => volume.vm?.id === vm.id)
  // What other VMs have is looked at on their pages.
  const loose = volumes.filter((volume) => volume.vm === null && volume.project.id === vm.project.id)
  return (
    <div className="flex flex-col gap-5">
      {vm.can.resize.ok ? null : (
        <Notice tone="info" title={t.coldTitle}>{`${vm.can.resize.why} ${t.cold}`}</Notice>
      )}
      <Card
        title={t.title}
        flush
        aside={
          <Button
            size="sm"
            variant="primary"
            icon={<Plus aria-hidden="true" />}
            whyDisabled={vm.can.resize.why}
            onClick={() => setAsking({ what: 'create' })}
          >
            {t.create.action}
          </Button>
        }
      >
        <ul className="divide-y divide-line">
          {vm.diskBytes === null ? (
            <li className="px-5 py-4 text-13 text-ink-3">{t.noSystem}</li>
          ) : (
            <DiskRow
              name={t.system}
              about={t.systemAbout}
              size={vm.diskBytes}
              used={vm.diskUsedBytes}
              device="/dev/vda"
              actions={
                <Button
                  size="sm"
                  whyDisabled={vm.can.resize.why}
                  onClick={() => setAsking({ what: 'growSystem' })}
                >
                  {t.grow.action}
                </Button>
              }
            />
          )}
          {own.map((volume) => (
            <VolumeRow key={volume.id} volume={volume} store={store} onAsk={setAsking} />
          ))}
        </ul>
      </Card>
      {loose.length === 0 ? null : (
        <Card title={t.loose} flush>
          <ul className="divide-y divide-line">
            {loose.map((volume) => (
              <VolumeRow key={volume.id} volume={volume} store={store} onAsk={setAsking} />
            ))}
          </ul>
        </Card>
      )}
      <p className="max-w-[80ch] text-13 text-ink-3">{t.hint}</p>
      {asking ? <DiskDialogs asking={asking} store={store} onClose={() => setAsking(null)} /> : null}
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
  onAsk: (asking: DiskAsking) => void
}) {
  const { vm } = useVmPage()
  const attached = volume.vm !== null
  return (
    <DiskRow
      name={volume.name}
      about={volume.format === null ? t.unformatted : t.formatted(volume.format)}
      size={volume.bytes}
      used={volume.usedBytes}
      device={volume.device}
      status={
        volume.status === 'ready' ? null : (
          <StatusPill tone={volume.status === 'missing' ? 'bad' : 'busy'}>
            {t.status[volume.status]}
          </StatusPill>
        )
      }
      actions={
        <>
          {attached ? (
            <Button
              size="sm"
              whyDisabled={volume.can.resize.why}
              onClick={() => onAsk({ what: 'grow', volume })}
            >
              {t.grow.action}
            </Button>
          ) : (
            <Button
              size="sm"
              icon={<Link2 aria-hidden="true" />}
              busy={store.attach.isPending && store.attach.variables.id === volume.id}
              whyDisabled={volume.can.attach.why ?? vm.can.resize.why}
              onClick={() => store.attach.mutate({ id: volume.id, vm: vm.id, idempotencyKey: intentKey() })}
            >
              {t.attach}
            </Button>
          )}
          <Menu
            trigger={
              <button
                type="button"
                aria-label={t.more(volume.name)}
                className={buttonClass('ghost', 'sm', 'size-8 px-0')}
              >
                <MoreHorizontal />
              </button>
            }
          >
            {attached ? (
              <MenuItem
                icon={<Unlink />}
                whyDisabled={volume.can.detach.why}
                onSelect={() => store.detachUndoably(volume)}
              >
                {t.detach}
              </MenuItem>
            ) : (
              <MenuItem
                icon={<HardDrive />}
                whyDisabled={volume.can.resize.why}
                onSelect={() => onAsk({ what: 'grow', volume })}
              >
                {t.grow.action}
              </MenuItem>
            )}
            <MenuSeparator />
            <MenuItem
              icon={<Trash2 />}
              danger
              whyDisabled={volume.can.delete.why}
              onSelect={() => onAsk({ what: 'delete', volume })}
            >
              {t.delete.action}
            </MenuItem>
          </Menu>
        </>
      }
    />
  )
}
