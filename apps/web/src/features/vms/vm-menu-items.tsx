'use client'
import { CircleX, Copy, Play, Power, SquareTerminal } from 'lucide-react'
import { useRouter } from 'next/navigation'
import type { VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { DeleteItem, PowerItems } from './power-items.tsx'
import type { useVmPower } from './use-vm-power.ts'
import type { Confirming } from './vm-confirm.tsx'

export function VmMenuItems({
  vm,
  actions,
  onConfirm,
  onCopy,
  onCancel,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  onConfirm: (what: Confirming) => void
  onCopy: () => void
  onCancel: () => void
}) {
  const router = useRouter()
  return (
    <>
      <MenuItem
        icon={<SquareTerminal />}
        whyDisabled={vm.can.console.why}
        onSelect={() => router.push(paths.vmConsole(vm.id))}
      >
        {m.vms.power.console}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<Play />} whyDisabled={vm.can.start.why} onSelect={() => actions.power(vm, 'start')}>
        {m.vms.power.start}
      </MenuItem>
      <MenuItem
        icon={<Power />}
        whyDisabled={vm.can.shutdown.why}
        onSelect={() => actions.power(vm, 'shutdown')}
      >
        {m.vms.power.shutdown}
      </MenuItem>
      <PowerItems vm={vm} actions={actions} onConfirm={onConfirm} />
      {vm.action?.command === 'create_vm' && vm.action.status === 'running' ? (
        <MenuItem icon={<CircleX />} whyDisabled={vm.can.cancel.why} onSelect={onCancel}>
          {m.creation.cancel}
        </MenuItem>
      ) : null}
      <MenuItem icon={<Copy />} whyDisabled={vm.can.resize.why} onSelect={onCopy}>
        {m.vms.power.toImage}
      </MenuItem>
      <MenuSeparator />
      <DeleteItem vm={vm} onConfirm={onConfirm} />
    </>
  )
}
