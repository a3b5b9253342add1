'use client'
import { nameSchema } from '@hearth/shared/names'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import type { SnapshotView } from '../../../server/views/index.ts'
import { useVms } from '../../data/hooks.ts'
import { dateTime } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { said } from '../../messages/said.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input } from '../../ui/field.tsx'
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
  const { vms } = useVms()
  const router = useRouter()
  const taken = new Set(vms?.map((each) => each.name))
  const [name, setName] = useState(() => freeName(vm.name, taken))
  const [key] = useState(intentKey)
  const parsed = nameSchema.safeParse(name)
  const problem = parsed.success
    ? taken.has(name)
      ? m.create.nameTaken
      : null
    : said(parsed.error.issues[0]?.message ?? '')
  const { createVm } = snapshots
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.createVm.title(snapshot.name)}
      description={t.createVm.text(vm.name)}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            type="submit"
            form="snapshot-create-vm"
            variant="primary"
            busy={createVm.isPending}
            whyDisabled={snapshot.can.createVm.why ?? problem}
          >
            {t.createVm.confirm}
          </Button>
        </>
      }
    >
      <form
        id="snapshot-create-vm"
        onSubmit={(event) => {
          event.preventDefault()
          if (problem !== null || !snapshot.can.createVm.ok) return
          createVm.mutate(
            { id: snapshot.id, name, start: true, idempotencyKey: key },
            { onSuccess: (made) => router.push(paths.vm(made.vm.id)) },
          )
        }}
      >
        <Field label={m.vmSettings.name.label} error={problem}>
          <Input
            value={name}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            className="font-mono"
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
      </form>
    </Dialog>
  )
}

/** `web-2` after `web`, `web-3` when that is taken. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  const stem = name.replace(/-\d+$/, '').slice(0, 58)
  let number = 2
  while (taken.has(`${stem}-${number}`)) number++
  return `${stem}-${number}`
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
