'use client'
import {
  CircleX,
  Copy,
  MoonStar,
  MoreHorizontal,
  Play,
  Power,
  PowerOff,
  RefreshCw,
  RotateCcw,
  SquareTerminal,
  Trash2,
} from 'lucide-react'
import { useRouter } from 'next/navigation'
import { lazy, Suspense, useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { useVmPower } from './use-vm-power.ts'
import type { Confirming } from './vm-confirm.tsx'

// What a menu's item opens arrives when it is chosen.
const ImageFromVm = lazy(() =>
  import('../images/image-from-vm.tsx').then((part) => ({ default: part.ImageFromVm })),
)
const CancelCreation = lazy(() =>
  import('./cancel-creation.tsx').then((part) => ({ default: part.CancelCreation })),
)
const VmConfirm = lazy(() => import('./vm-confirm.tsx').then((part) => ({ default: part.VmConfirm })))

/** Everything one can do with a VM, from its row in the list. */
export function VmRowMenu({ vm }: { vm: VmView }) {
  const router = useRouter()
  const actions = useVmPower()
  const [confirming, setConfirming] = useState<Confirming>(null)
  const [copying, setCopying] = useState(false)
  const [cancelling, setCancelling] = useState(false)
  return (
    <>
      <Menu
        trigger={
          <button
            type="button"
            aria-label={m.vms.actionsFor(vm.name)}
            className={buttonClass('ghost', 'sm', 'size-8 px-0')}
          >
            <MoreHorizontal />
          </button>
        }
      >
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
        <MenuItem
          icon={<RefreshCw />}
          whyDisabled={vm.can.reboot.why}
          onSelect={() => actions.power(vm, 'reboot')}
        >
          {m.vms.power.reboot}
        </MenuItem>
        <MenuItem
          icon={<MoonStar />}
          whyDisabled={vm.can.suspend.why}
          onSelect={() => actions.power(vm, 'suspend')}
        >
          {m.vms.power.suspend}
        </MenuItem>
        <MenuItem icon={<RotateCcw />} whyDisabled={vm.can.reset.why} onSelect={() => setConfirming('reset')}>
          {m.vms.power.reset}
        </MenuItem>
        <MenuItem
          icon={<PowerOff />}
          whyDisabled={vm.can.poweroff.why}
          onSelect={() => setConfirming('poweroff')}
        >
          {m.vms.power.poweroff}
        </MenuItem>
        {vm.action?.command === 'create_vm' && vm.action.status === 'running' ? (
          <MenuItem icon={<CircleX />} whyDisabled={vm.can.cancel.why} onSelect={() => setCancelling(true)}>
            {m.creation.cancel}
          </MenuItem>
        ) : null}
        <MenuItem icon={<Copy />} whyDisabled={vm.can.resize.why} onSelect={() => setCopying(true)}>
          {m.vms.power.toImage}
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={<Trash2 />}
          danger
          whyDisabled={vm.can.delete.why}
          onSelect={() => setConfirming('delete')}
        >
          {m.vms.power.delete}
        </MenuItem>
      </Menu>
      <Suspense>
        {cancelling ? <CancelCreation vm={vm} onClose={() => setCancelling(false)} /> : null}
        {copying ? <ImageFromVm vm={vm} onClose={() => setCopying(false)} /> : null}
        {confirming ? (
          <VmConfirm vm={vm} what={confirming} actions={actions} onClose={() => setConfirming(null)} />
        ) : null}
      </Suspense>
    </>
  )
}
