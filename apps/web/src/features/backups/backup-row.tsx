'use client'
import { CopyPlus, History, MoreHorizontal, ShieldCheck, Trash2, X } from 'lucide-react'
import type { BackupView } from '../../../server/views/index.ts'
import { ago, bytes, dateTime } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { StatusPill, type Tone } from '../../ui/status.tsx'
import type { Asking } from './backup-dialogs.tsx'
import type { Backups } from './use-backups.ts'

const t = m.backups

const tones: Record<Exclude<BackupView['status'], 'ready'>, Tone> = {
  creating: 'busy',
  deleting: 'busy',
  missing: 'bad',
}

export function BackupRow({
  backup,
  store,
  onAsk,
}: {
  backup: BackupView
  store: Backups
  onAsk: (asking: Asking) => void
}) {
  const now = useNow()
  const { can, work, status, damaged } = backup
  const facts = [
    now ? ago(backup.takenAt, now, m.common.justNow) : '',
    status === 'creating' ? null : t.size(bytes(backup.bytes), bytes(backup.storedBytes)),
    backup.consistency === null ? null : m.snapshots.consistency[backup.consistency],
    backup.scheduled ? t.planned : null,
    backup.project === null ? t.stranger : null,
  ].filter(Boolean)
  const name = t.name(backup.vmName, dateTime(backup.takenAt))
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
      <div className="min-w-0 flex-1 basis-52">
        <p className="flex items-center gap-2">
          <span className="min-w-0 truncate font-medium">{backup.vmName}</span>
          {status === 'ready' ? null : <StatusPill tone={tones[status]}>{t.status[status]}</StatusPill>}
          {damaged ? <StatusPill tone="bad">{t.damaged}</StatusPill> : null}
        </p>
        <p className="tnum text-13 text-ink-3" title={dateTime(backup.takenAt)}>
          {facts.join(' · ')}
        </p>
        {work ? (
          <div className="mt-1.5 max-w-sm">
            <p className="mb-1 text-13 text-ink-2">{work.step}</p>
            <ProgressBar value={work.progress} label={m.vms.action.running[work.command]} />
          </div>
        ) : null}
      </div>
      <div className="flex items-center gap-2">
        {work && can.cancel.ok ? (
          <Button
            size="sm"
            icon={<X aria-hidden="true" />}
            busy={store.cancel.isPending && store.cancel.variables.id === backup.id}
            onClick={() => store.cancel.mutate({ id: backup.id })}
          >
            {m.common.cancel}
          </Button>
        ) : (
          <Button
            size="sm"
            icon={<History aria-hidden="true" />}
            whyDisabled={can.restore.why}
            onClick={() => onAsk({ what: 'restore', backup })}
          >
            {t.restore.action}
          </Button>
        )}
        <Menu
          trigger={
            <button
              type="button"
              aria-label={t.more(name)}
              className={buttonClass('ghost', 'sm', 'size-8 px-0')}
            >
              <MoreHorizontal />
            </button>
          }
        >
          <MenuItem
            icon={<CopyPlus />}
            whyDisabled={can.createVm.why}
            onSelect={() => onAsk({ what: 'createVm', backup })}
          >
            {m.snapshots.createVm.menu}
          </MenuItem>
          <MenuItem
            icon={<ShieldCheck />}
            whyDisabled={can.verify.why}
            onSelect={() => store.verify.mutate({ id: backup.id, idempotencyKey: intentKey() })}
          >
            {t.verify}
          </MenuItem>
          <MenuSeparator />
          <MenuItem
            icon={<Trash2 />}
            danger
            whyDisabled={can.delete.why}
            onSelect={() => onAsk({ what: 'delete', backup })}
          >
            {t.delete.action}
          </MenuItem>
        </Menu>
      </div>
    </li>
  )
}
