'use client'
import { Play } from 'lucide-react'
import Link from 'next/link'
import type { ReactNode } from 'react'
import type { ConnectionState } from '../../console/connection.ts'
import type { VmView } from '../../data/hooks.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { StatusDot, type Tone } from '../../ui/status.tsx'
import type { useVmPower } from '../vms/use-vm-power.ts'
import { failedAction, runningAction } from '../vms/vm-status.ts'

const t = m.console

/** What is to be read on a console whose VM does not run; `off` when nothing more is known than that. */
export function whyStopped(
  vm: VmView,
  off: { title: string; text: string },
): { tone: Tone; title: string; text: string } {
  const action = runningAction(vm)
  if (action) return { tone: 'busy', title: `${m.vms.action.running[action.command]}…`, text: action.step }
  const failed = failedAction(vm)
  if (failed)
    return {
      tone: 'bad',
      title: m.vms.action.failed[failed.command],
      text: failed.error?.message ?? off.text,
    }
  if (vm.state !== 'crashed') return { tone: 'quiet', title: off.title, text: off.text }
  const text = [vm.panicked ? m.vms.crashed.panic : null, vm.exitReason].filter(Boolean).join(' ')
  return { tone: 'bad', title: m.vms.crashed.title, text }
}

/** What the console waits for and what can be done about it; what was on screen stays readable above. */
export function ConsoleNotice({
  vm,
  actions,
  state,
  onRetry,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  state: ConnectionState
  onRetry: () => void
}) {
  switch (state.at) {
    case 'waiting':
      return (
        <Bar
          action={
            <Button size="sm" onClick={onRetry}>
              {t.retryNow}
            </Button>
          }
        >
          <StatusDot tone="busy" />
          <span>
            {t.waiting[state.reason]} <Countdown until={state.retryAt} />
          </span>
        </Bar>
      )
    case 'stopped': {
      const { tone, title, text } = whyStopped(vm, t.stopped)
      return (
        <Bar
          action={
            <Button
              size="sm"
              variant="primary"
              icon={<Play aria-hidden="true" />}
              whyDisabled={vm.can.start.why}
              busy={actions.pending === 'start'}
              onClick={() => actions.power(vm, 'start')}
              aria-label={t.stopped.startNamed(vm.name)}
            >
              {t.stopped.start}
            </Button>
          }
        >
          <StatusDot tone={tone} />
          <span>
            <span className="block font-medium text-ink">{title}</span>
            <span className="block">{text}</span>
          </span>
        </Bar>
      )
    }
    case 'ended':
      return (
        <Bar
          action={
            state.reason === 'signed_out' ? (
              <Link
                className={buttonClass('primary', 'sm')}
                href={paths.signIn({ next: paths.vmConsole(vm.id) })}
              >
                {t.signIn}
              </Link>
            ) : null
          }
        >
          <StatusDot tone="bad" />
          <span>{t.ended[state.reason]}</span>
        </Bar>
      )
    default:
      return null
  }
}

function Bar({ action, children }: { action: ReactNode; children: ReactNode }) {
  return (
    <div className="pointer-events-none absolute inset-x-0 bottom-0 flex justify-center p-3">
      <div
        role="status"
        className="pointer-events-auto flex w-full max-w-2xl flex-wrap items-center justify-between gap-x-5 gap-y-2.5 rounded-card border border-line bg-overlay px-4 py-3 text-13 text-ink-2 shadow-float"
      >
        <span className="flex min-w-0 flex-1 basis-64 items-center gap-3">{children}</span>
        {action}
      </div>
    </div>
  )
}

function Countdown({ until }: { until: number }) {
  const now = useNow(true)
  const seconds = Math.ceil((until - now) / 1000)
  return now > 0 && seconds > 1 ? <span className="tnum text-ink-3">{t.retryIn(seconds)}</span> : null
}
