'use client'
import { ArchiveRestore } from 'lucide-react'
import Link from 'next/link'
import type { BackupStanding, VmBackupsView } from '../../../server/views/index.ts'
import { ago, dateTime } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { StatusPill, type Tone } from '../../ui/status.tsx'
import { Switch } from '../../ui/switch.tsx'
import type { Backups } from './use-backups.ts'

const t = m.backups

const tones: Record<BackupStanding, Tone> = {
  good: 'ok',
  waiting: 'quiet',
  late: 'warn',
  failed: 'bad',
  excluded: 'quiet',
  none: 'quiet',
}

/** How the plan stands with one VM, and a backup of it by hand. */
export function VmBackupRow({
  view,
  store,
  planned,
}: {
  view: VmBackupsView
  store: Backups
  planned: boolean
}) {
  const now = useNow()
  const { vm, standing, lastAt, error, can } = view
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
      <div className="min-w-0 flex-1 basis-52">
        <p className="flex items-center gap-2">
          <Link href={paths.vm(vm.id)} className="min-w-0 truncate font-medium hover:underline">
            {vm.name}
          </Link>
          <StatusPill tone={tones[standing]}>{t.standing[standing]}</StatusPill>
        </p>
        <p className="text-13 text-ink-3" title={lastAt ? dateTime(lastAt) : undefined}>
          {lastAt && now ? t.last(ago(lastAt, now, m.common.justNow)) : lastAt ? '' : t.never}
        </p>
        {error ? <p className="text-13 text-bad">{error}</p> : null}
      </div>
      <div className="flex items-center gap-3">
        {planned ? (
          <Switch
            checked={standing !== 'excluded'}
            disabled={!can.exclude.ok}
            label={t.included(vm.name)}
            onChange={(included) => store.include.mutate({ vmId: vm.id, included })}
          />
        ) : null}
        <Button
          size="sm"
          icon={<ArchiveRestore aria-hidden="true" />}
          aria-label={t.takeOf(vm.name)}
          busy={store.take.isPending && store.take.variables.vmId === vm.id}
          whyDisabled={can.take.why}
          onClick={() => store.take.mutate({ vmId: vm.id, idempotencyKey: intentKey() })}
        >
          {t.take}
        </Button>
      </div>
    </li>
  )
}
