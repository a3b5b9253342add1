'use client'
import { MoreHorizontal, Play, Power, SquareTerminal } from 'lucide-react'
import { usePathname, useRouter } from 'next/navigation'
import { useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { Menu, MenuSeparator } from '../../ui/menu.tsx'
import { DeleteItem, PowerItems } from './power-items.tsx'
import type { useVmPower } from './use-vm-power.ts'
import { type Confirming, VmConfirm } from './vm-confirm.tsx'

const t = m.vms.power

/** What one does with a VM most, as buttons; what cannot be taken back, behind a menu. */
export function VmPowerBar({ vm, actions }: { vm: VmView; actions: ReturnType<typeof useVmPower> }) {
  const router = useRouter()
  const onConsole = usePathname() === paths.vmConsole(vm.id)
  const [confirming, setConfirming] = useState<Confirming>(null)
  // The likelier of the two is the warm one; both stay in place, so that a click never lands on the other.
  const startFirst = vm.can.start.ok
  return (
    <div className="flex flex-wrap items-center gap-1.5 max-sm:[&_button]:gap-1 max-sm:[&_button]:px-1.5 max-sm:[&_button]:text-13 sm:gap-2">
      <Button
        variant={startFirst ? 'primary' : 'secondary'}
        icon={<Play aria-hidden="true" />}
        whyDisabled={vm.can.start.why}
        busy={actions.pending === 'start'}
        onClick={() => actions.power(vm, 'start')}
      >
        {t.start}
      </Button>
      <Button
        icon={<Power aria-hidden="true" />}
        whyDisabled={vm.can.shutdown.why}
        busy={actions.pending === 'shutdown'}
        onClick={() => actions.power(vm, 'shutdown')}
      >
        {t.shutdown}
      </Button>
      {onConsole ? null : (
        <Button
          variant={startFirst ? 'secondary' : 'primary'}
          icon={<SquareTerminal aria-hidden="true" />}
          whyDisabled={vm.can.console.why}
          onClick={() => router.push(paths.vmConsole(vm.id))}
        >
          {t.console}
        </Button>
      )}
      <Menu
        trigger={
          <button type="button" aria-label={t.more} className={buttonClass('secondary', 'md', 'size-9 px-0')}>
            <MoreHorizontal />
          </button>
        }
      >
        <PowerItems vm={vm} actions={actions} onConfirm={setConfirming} />
        <MenuSeparator />
        <DeleteItem vm={vm} onConfirm={setConfirming} />
      </Menu>
      <VmConfirm
        vm={vm}
        what={confirming}
        actions={actions}
        onClose={() => setConfirming(null)}
        onDeleted={() => router.replace(paths.vms())}
      />
    </div>
  )
}
