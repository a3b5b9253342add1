'use client'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import type { BackupView } from '../../../server/views/index.ts'
import { dateTime } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Confirm } from '../../ui/confirm.tsx'
import { NewVmName } from '../vms/new-vm-name.tsx'
import type { Backups } from './use-backups.ts'

export interface Asking {
  what: 'restore' | 'createVm' | 'delete'
  backup: BackupView
}

const t = m.backups

export function BackupDialogs({
  asking,
  store,
  onClose,
}: {
  asking: Asking
  store: Backups
  onClose: () => void
}) {
  const { backup, what } = asking
  const router = useRouter()
  const [key] = useState(intentKey)
  const when = dateTime(backup.takenAt)
  const name = t.name(backup.vmName, when)
  if (what === 'createVm')
    return (
      <NewVmName
        title={m.snapshots.createVm.title(name)}
        text={t.createVmText(backup.vmName)}
        from={backup.vmName}
        busy={store.createVm.isPending}
        whyNot={backup.can.createVm.why}
        onClose={onClose}
        onName={(vmName) =>
          store.createVm.mutate(
            { id: backup.id, name: vmName, start: true, idempotencyKey: key },
            { onSuccess: (made) => router.push(paths.vm(made.vm.id)) },
          )
        }
      />
    )
  const mutation = what === 'restore' ? store.restore : store.remove
  const { name: current = backup.vmName } = backup.vm ?? {}
  return (
    <Confirm
      title={t[what].title(name)}
      text={what === 'restore' ? t.restore.text(current, when) : t.delete.text}
      action={t[what].confirm}
      cancel={m.common.cancel}
      closeLabel={m.common.close}
      danger
      busy={mutation.isPending}
      {...(what === 'restore'
        ? { typeName: { name: current, label: t.restore.type(current), mismatch: t.restore.mismatch } }
        : {})}
      onConfirm={() => mutation.mutate({ id: backup.id, idempotencyKey: key }, { onSuccess: onClose })}
      onClose={onClose}
    />
  )
}
