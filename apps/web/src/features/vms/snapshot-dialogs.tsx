'use client'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import type { SnapshotView } from '../../../server/views/index.ts'
import { dateTime } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { NewVmName } from './new-vm-name.tsx'
import type { Snapshots } from './use-snapshots.ts'
import { useVmPage } from './vm-context.ts'

export interface Asking {
  what: 'restore' | 'createVm' | 'rename' | 'delete'
  snapshot: SnapshotView
}

const t = m.snapshots

export function SnapshotDialogs({
  asking,
  snapshots,
  onClose,
}: {
  asking: Asking
  snapshots: Snapshots
  onClose: () => void
}) {
  const { vm } = useVmPage()
  const { snapshot, what } = asking
  if (what === 'createVm') return <CreateVm snapshot={snapshot} snapshots={snapshots} onClose={onClose} />
  if (what === 'rename') return <Rename snapshot={snapshot} snapshots={snapshots} onClose={onClose} />
  const mutation = what === 'restore' ? snapshots.restore : snapshots.remove
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t[what].title(snapshot.name)}
      description={what === 'restore' ? t.restore.text(vm.name, dateTime(snapshot.createdAt)) : t.delete.text}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            variant="danger"
            busy={mutation.isPending}
            whyDisabled={snapshot.can[what].why}
            onClick={() =>
              mutation.mutate({ id: snapshot.id, idempotencyKey: intentKey() }, { onSuccess: onClose })
            }
          >
            {t[what].confirm}
          </Button>
        </>
      }
    />
  )
}

function CreateVm({
  snapshot,
  snapshots,
  onClose,
}: {
  snapshot: SnapshotView
  snapshots: Snapshots
  onClose: () => void
}) {
  const { vm } = useVmPage()
  const router = useRouter()
  const [key] = useState(intentKey)
  const { createVm } = snapshots
  return (
    <NewVmName
      title={t.createVm.title(snapshot.name)}
      text={t.createVm.text(vm.name)}
      from={vm.name}
      busy={createVm.isPending}
      whyNot={snapshot.can.createVm.why}
      onClose={onClose}
      onName={(name) =>
        createVm.mutate(
          { id: snapshot.id, name, start: true, idempotencyKey: key },
          { onSuccess: (made) => router.push(paths.vm(made.vm.id)) },
        )
      }
    />
  )
}

function Rename({
  snapshot,
  snapshots,
  onClose,
}: {
  snapshot: SnapshotView
  snapshots: Snapshots
  onClose: () => void
}) {
  const [name, setName] = useState(snapshot.name)
  const trimmed = name.trim()
  const { rename } = snapshots
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.rename.title}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            type="submit"
            form="snapshot-rename"
            variant="primary"
            busy={rename.isPending}
            whyDisabled={trimmed === '' ? t.rename.empty : null}
          >
            {t.rename.confirm}
          </Button>
        </>
      }
    >
      <form
        id="snapshot-rename"
        onSubmit={(event) => {
          event.preventDefault()
          if (trimmed === '') return
          rename.mutate({ id: snapshot.id, name: trimmed }, { onSuccess: onClose })
        }}
      >
        <Field label={m.vmSettings.name.label}>
          <Input
            value={name}
            maxLength={63}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
      </form>
    </Dialog>
  )
}
