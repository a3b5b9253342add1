'use client'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { Confirm } from '../../ui/confirm.tsx'
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
  if (what === null) return null
  const texts = m.vms.confirm[what]
  const deletion = m.vms.confirm.delete
  return (
    <Confirm
      danger
      title={texts.title(vm.name)}
      text={texts.text}
      action={texts.action}
      cancel={m.common.cancel}
      closeLabel={m.common.close}
      whyNot={vm.can[what].why}
      busy={what === 'delete' && actions.pending === 'delete'}
      {...(what === 'delete'
        ? { typeName: { name: vm.name, label: deletion.type(vm.name), mismatch: deletion.mismatch } }
        : {})}
      onClose={onClose}
      onConfirm={() => {
        if (what === 'delete')
          actions.remove(vm, vm.name, () => {
            onClose()
            onDeleted?.()
          })
        else {
          actions.power(vm, what)
          onClose()
        }
      }}
    />
  )
}
