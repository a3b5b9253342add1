'use client'
import { MonitorOff, Play, Power } from 'lucide-react'
import type { ReactNode } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { BusyDots, Button } from '../../ui/button.tsx'
import type { useVmPower } from '../vms/use-vm-power.ts'
import { runningAction } from '../vms/vm-status.ts'
import { ConsoleNotice, whyStopped } from './console-notice.tsx'
import type { DisplayConsole } from './use-display-console.ts'

const t = m.display

/** Over the screen whenever it shows nothing: why, and what can be done about it. */
export function DisplayOverlay({
  vm,
  actions,
  console: { state, retry },
  onSerial,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  console: DisplayConsole
  /** Shows the serial console instead; absent where there is none beside. */
  onSerial?: (() => void) | undefined
}) {
  if (state.at === 'opening' || state.at === 'connecting')
    return (
      <div role="status" className="pointer-events-none absolute inset-0 grid place-items-center">
        <span className="flex items-center gap-3 rounded-full bg-black/45 px-4 py-2 text-13 text-white/80 backdrop-blur-sm">
          <BusyDots />
          {t.opening}
        </span>
      </div>
    )
  if (state.at === 'stopped') {
    const { title, text } = whyStopped(vm, { title: t.off.title(vm.name), text: t.off.text })
    return (
      <Panel icon={<Power />} title={title} text={text}>
        <Button
          variant="primary"
          icon={<Play aria-hidden="true" />}
          whyDisabled={vm.can.start.why}
          busy={actions.pending === 'start' || runningAction(vm)?.command === 'start_vm'}
          onClick={() => actions.power(vm, 'start')}
        >
          {t.off.start}
        </Button>
      </Panel>
    )
  }
  if (state.at === 'ended' && state.reason === 'no_screen')
    return (
      <Panel
        icon={<MonitorOff />}
        title={t.noScreen.title}
        text={vm.display === null ? t.noScreen.none : t.noScreen.text}
      >
        {onSerial ? <Button onClick={onSerial}>{t.noScreen.serial}</Button> : null}
      </Panel>
    )
  return <ConsoleNotice vm={vm} actions={actions} state={state} onRetry={retry} />
}

function Panel({
  icon,
  title,
  text,
  children,
}: {
  icon: ReactNode
  title: string
  text: string
  children: ReactNode
}) {
  return (
    <div role="status" className="absolute inset-0 grid place-items-center overflow-auto p-6 text-center">
      <div className="flex max-w-md flex-col items-center gap-4 rounded-card bg-black/35 px-8 py-7 backdrop-blur-md">
        <span
          aria-hidden="true"
          className="grid size-14 place-items-center rounded-full bg-white/8 text-white/70 ring-1 ring-white/12 [&_svg]:size-6"
        >
          {icon}
        </span>
        <div>
          <p className="font-semibold text-lg text-white">{title}</p>
          <p className="mt-1 text-13 text-white/65 leading-5">{text}</p>
        </div>
        {children}
      </div>
    </div>
  )
}
