'use client'
import { MoonStar, PowerOff, RefreshCw, RotateCcw, Trash2 } from 'lucide-react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { MenuItem } from '../../ui/menu.tsx'
import type { useVmPower } from './use-vm-power.ts'
import type { Confirming } from './vm-confirm.tsx'

const t = m.vms.power

/** What interrupts a VM, behind a menu wherever it stands. */
export function PowerItems({
  vm,
  actions,
  onConfirm,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  onConfirm: (what: Confirming) => void
}) {
  return (
    <>
      <MenuItem
        icon={<RefreshCw />}
        whyDisabled={vm.can.reboot.why}
        onSelect={() => actions.power(vm, 'reboot')}
      >
        {t.reboot}
      </MenuItem>
      <MenuItem
        icon={<MoonStar />}
        whyDisabled={vm.can.suspend.why}
        onSelect={() => actions.power(vm, 'suspend')}
      >
        {t.suspend}
      </MenuItem>
      <MenuItem icon={<RotateCcw />} whyDisabled={vm.can.reset.why} onSelect={() => onConfirm('reset')}>
        {t.reset}
      </MenuItem>
      <MenuItem icon={<PowerOff />} whyDisabled={vm.can.poweroff.why} onSelect={() => onConfirm('poweroff')}>
        {t.poweroff}
      </MenuItem>
    </>
  )
}

export function DeleteItem({ vm, onConfirm }: { vm: VmView; onConfirm: (what: Confirming) => void }) {
  return (
    <MenuItem icon={<Trash2 />} danger whyDisabled={vm.can.delete.why} onSelect={() => onConfirm('delete')}>
      {t.delete}
    </MenuItem>
  )
}
