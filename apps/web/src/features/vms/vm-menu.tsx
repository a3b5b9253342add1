'use client'
import { MoreHorizontal } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { Menu } from '../../ui/menu.tsx'
import { useVmPower } from './use-vm-power.ts'
import type { Confirming } from './vm-confirm.tsx'

// What is in the menu arrives when it is opened, and what an item opens when it is chosen.
const loadItems = () => import('./vm-menu-items.tsx')
const VmMenuItems = lazy(() => loadItems().then((part) => ({ default: part.VmMenuItems })))
const ImageFromVm = lazy(() =>
  import('../images/image-from-vm.tsx').then((part) => ({ default: part.ImageFromVm })),
)
const CancelCreation = lazy(() =>
  import('./cancel-creation.tsx').then((part) => ({ default: part.CancelCreation })),
)
const VmConfirm = lazy(() => import('./vm-confirm.tsx').then((part) => ({ default: part.VmConfirm })))

/** Everything one can do with a VM, from its row in the list. */
export function VmRowMenu({ vm }: { vm: VmView }) {
  const actions = useVmPower()
  const [confirming, setConfirming] = useState<Confirming>(null)
  const [copying, setCopying] = useState(false)
  const [cancelling, setCancelling] = useState(false)
  return (
    <>
      <Menu
        prepare={loadItems}
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
        <VmMenuItems
          vm={vm}
          actions={actions}
          onConfirm={setConfirming}
          onCopy={() => setCopying(true)}
          onCancel={() => setCancelling(true)}
        />
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
