'use client'
import { Camera, CopyPlus, History, MoreHorizontal, Pencil, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { SnapshotView } from '../../../server/views/index.ts'
import { ago, bytes, dateTime } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { Field, Input } from '../../ui/field.tsx'
import { Card, EmptyState, Skeleton } from '../../ui/layout.tsx'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { StatusPill, type Tone } from '../../ui/status.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { type Asking, SnapshotDialogs } from './snapshot-dialogs.tsx'
import { SnapshotScheduleForm } from './snapshot-schedule-form.tsx'
import { type Snapshots, useSnapshots } from './use-snapshots.ts'
import { useVmPage } from './vm-context.ts'

const t = m.snapshots

export function VmSnapshotsTab() {
  const { vm } = useVmPage()
  const snapshots = useSnapshots(vm.id)
  const [asking, setAsking] = useState<Asking | null>(null)
  const { data, error } = snapshots
  if (error && !data) return <LoadError error={error} />
  return (
    <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)]">
      <div className="flex min-w-0 flex-col gap-5">
        {data === undefined ? (
          <Skeleton className="h-64 rounded-card!" />
        ) : (
          <section className="card min-w-0" aria-label={t.title}>
            {data.snapshots.length === 0 ? (
              <EmptyState
                art={<Camera className="size-8 text-ink-3" aria-hidden="true" />}
                title={t.empty.title}
              >
                {vm.diskBytes === null ? vm.can.snapshot.why : t.empty.text}
              </EmptyState>
            ) : (
              <ul className="divide-y divide-line">
                {data.snapshots.map((snapshot) => (
                  <SnapshotRow key={snapshot.id} snapshot={snapshot} onAsk={setAsking} />
                ))}
              </ul>
            )}
          </section>
        )}
      </div>
      <div className="flex min-w-0 flex-col gap-5 max-lg:order-first">
        <TakeSnapshot snapshots={snapshots} />
        {data ? <SnapshotScheduleForm snapshots={snapshots} view={data} /> : null}
      </div>
      {asking ? (
        <SnapshotDialogs asking={asking} snapshots={snapshots} onClose={() => setAsking(null)} />
      ) : null}
    </div>
  )
}

function TakeSnapshot({ snapshots }: { snapshots: Snapshots }) {
  const { vm } = useVmPage()
  const [name, setName] = useState('')
  const { take } = snapshots
  return (
    <Card title={t.take.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!vm.can.snapshot.ok) return
          const trimmed = name.trim()
          take.mutate(
            { vmId: vm.id, ...(trimmed ? { name: trimmed } : {}), idempotencyKey: intentKey() },
            { onSuccess: () => setName('') },
          )
        }}
      >
        <div className="flex items-end gap-2">
          <Field label={t.take.name} className="flex-1">
            <Input
              value={name}
              maxLength={63}
              placeholder={t.take.placeholder}
              autoComplete="off"
              onChange={(event) => setName(event.target.value)}
            />
          </Field>
          <Button
            type="submit"
            variant="primary"
            icon={<Camera aria-hidden="true" />}
            busy={take.isPending}
            whyDisabled={vm.can.snapshot.why}
            className="h-9.5"
          >
            {t.take.action}
          </Button>
        </div>
        <p className="mt-3 text-13 text-ink-3">
          {vm.can.snapshot.why ?? (vm.state === 'running' ? t.take.running : t.take.stopped)}
        </p>
      </form>
    </Card>
  )
}

const tones: Record<Exclude<SnapshotView['status'], 'ready'>, Tone> = {
  creating: 'busy',
  deleting: 'busy',
  missing: 'bad',
}

function SnapshotRow({ snapshot, onAsk }: { snapshot: SnapshotView; onAsk: (asking: Asking) => void }) {
  const now = useNow()
  const facts = [
    now ? ago(snapshot.createdAt, now, m.common.justNow) : '',
    snapshot.storedBytes === null ? null : t.size(bytes(snapshot.storedBytes)),
    snapshot.consistency === null ? null : t.consistency[snapshot.consistency],
    snapshot.scheduled ? t.scheduled : null,
  ].filter(Boolean)
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
      <div className="min-w-0 flex-1 basis-52">
        <p className="flex items-center gap-2">
          <span className="min-w-0 truncate font-medium">{snapshot.name}</span>
          {snapshot.status === 'ready' ? null : (
            <StatusPill tone={tones[snapshot.status]}>{t.status[snapshot.status]}</StatusPill>
          )}
        </p>
        <p className="tnum text-13 text-ink-3" title={dateTime(snapshot.createdAt)}>
          {facts.join(' · ')}
        </p>
      </div>
      <div className="flex items-center gap-2">
        <Button
          size="sm"
          icon={<History aria-hidden="true" />}
          whyDisabled={snapshot.can.restore.why}
          onClick={() => onAsk({ what: 'restore', snapshot })}
        >
          {t.restore.action}
        </Button>
        <Menu
          trigger={
            <button
              type="button"
              aria-label={t.more(snapshot.name)}
              className={buttonClass('ghost', 'sm', 'size-8 px-0')}
            >
              <MoreHorizontal />
            </button>
          }
        >
          <MenuItem
            icon={<CopyPlus />}
            whyDisabled={snapshot.can.createVm.why}
            onSelect={() => onAsk({ what: 'createVm', snapshot })}
          >
            {t.createVm.menu}
          </MenuItem>
          <MenuItem icon={<Pencil />} onSelect={() => onAsk({ what: 'rename', snapshot })}>
            {t.rename.menu}
          </MenuItem>
          <MenuSeparator />
          <MenuItem
            icon={<Trash2 />}
            danger
            whyDisabled={snapshot.can.delete.why}
            onSelect={() => onAsk({ what: 'delete', snapshot })}
          >
            {t.delete.action}
          </MenuItem>
        </Menu>
      </div>
    </li>
  )
}
