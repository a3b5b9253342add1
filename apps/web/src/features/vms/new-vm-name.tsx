'use client'
import { useState } from 'react'
import { useVms } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { CodeInput, Field } from '../../ui/field.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'
import { vmNameProblem } from './vm-name.ts'

/** Asks what a VM is called that is made from something kept of another, and proposes a name that is free. */
export function NewVmName({
  title,
  text,
  from,
  busy,
  whyNot,
  onName,
  onClose,
}: {
  title: string
  text: string
  /** The name of the other. */
  from: string
  busy: boolean
  whyNot: string | null
  onName: (name: string) => void
  onClose: () => void
}) {
  const { vms } = useVms()
  const taken = new Set(vms?.map((each) => each.name))
  const [name, setName] = useState(() => freeName(from, taken))
  const problem = vmNameProblem(name, taken.has(name))
  return (
    <FormDialog
      id="new-vm-name"
      title={title}
      description={text}
      submit={m.snapshots.createVm.confirm}
      busy={busy}
      why={whyNot ?? problem}
      onClose={onClose}
      onSubmit={() => onName(name)}
    >
      <Field label={m.vmSettings.name.label} error={problem}>
        <CodeInput value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
    </FormDialog>
  )
}

/** `web-2` after `web`, `web-3` when that is taken. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  const stem = name.replace(/-\d+$/, '').slice(0, 58)
  let number = 2
  while (taken.has(`${stem}-${number}`)) number++
  return `${stem}-${number}`
}
