'use client'
import { useState, useSyncExternalStore } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { Segmented } from '../../ui/segmented.tsx'
import type { useVmPower } from '../vms/use-vm-power.ts'
import { DisplayConsole } from './display-console.tsx'
import { SerialConsole } from './serial-console.tsx'

type View = 'screen' | 'serial'

const never = () => () => {}

/** The console of a VM: its screen and its serial line side by side, or the latter alone. */
export function ConsoleView({
  vm,
  actions,
  ownTab = false,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  ownTab?: boolean
}) {
  const wanted = useSyncExternalStore(
    never,
    () => window.location.hash.slice(1),
    () => '',
  )
  const [chosen, setChosen] = useState<View | null>(null)
  // Of this run or of the next one; without either there is nothing to choose.
  const hasScreen = vm.hasScreen || vm.display !== null
  if (!hasScreen) return <SerialConsole vm={vm} actions={actions} ownTab={ownTab} />
  const mayType = vm.can.console.ok
  const view = chosen ?? (wanted === 'serial' && mayType ? 'serial' : 'screen')
  const choice = (
    <Segmented<View>
      label={m.display.views}
      value={view}
      options={[
        { value: 'screen', label: m.display.screen },
        { value: 'serial', label: m.display.serial },
      ]}
      onChange={(next) => {
        setChosen(next)
        // A reload, a bookmark and the own window come back to the same view.
        window.history.replaceState(null, '', `#${next}`)
      }}
    />
  )
  return view === 'serial' ? (
    <SerialConsole vm={vm} actions={actions} ownTab={ownTab} start={choice} />
  ) : (
    <DisplayConsole
      vm={vm}
      actions={actions}
      ownTab={ownTab}
      start={choice}
      onSerial={() => setChosen('serial')}
    />
  )
}
