'use client'
import { useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input } from '../../ui/field.tsx'
import type { useVmPower } from './use-vm-power.ts'

export type Confirming = 'poweroff' | 'reset' | 'delete' | null

/** What cannot be taken back is asked for once more; deleting also wants the name typed. */
export function VmConfirm({
  vm,
  what,
  actions,
  onClose,
  onDeleted,
}: {
  vm: VmView
  what: Confirming
  actions: ReturnType<typeof useVmPower>
  onClose: () => void
  onDeleted?: () => void
}) {
  if (what === 'delete')
    return <VmDelete vm={vm} actions={actions} onClose={onClose} onDeleted={onDeleted ?? (() => {})} />
  if (what === null) return null
  const texts = m.vms.confirm[what]
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={texts.title(vm.name)}
      description={texts.text}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            variant="danger"
            whyDisabled={vm.can[what].why}
            onClick={() => {
              actions.power(vm, what)
              onClose()
            }}
          >
            {texts.action}
          </Button>
        </>
      }
    />
  )
}

function VmDelete({
  vm,
  actions,
  onClose,
  onDeleted,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  onClose: () => void
  onDeleted: () => void
}) {
  const [typed, setTyped] = useState('')
  const texts = m.vms.confirm.delete
  const matches = typed.trim() === vm.name
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={texts.title(vm.name)}
      description={texts.text}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            type="submit"
            form="vm-delete"
            variant="danger"
            busy={actions.pending === 'delete'}
            whyDisabled={vm.can.delete.why ?? (matches ? null : texts.mismatch)}
          >
            {texts.action}
          </Button>
        </>
      }
    >
      <form
        id="vm-delete"
        onSubmit={(event) => {
          event.preventDefault()
          if (!matches || !vm.can.delete.ok) return
          actions.remove(vm, typed.trim(), () => {
            onClose()
            onDeleted()
          })
        }}
      >
        <Field label={texts.type(vm.name)}>
          <Input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            className="font-mono"
          />
        </Field>
      </form>
    </Dialog>
  )
}
