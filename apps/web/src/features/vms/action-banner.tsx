'use client'
import type { ActionView } from '../../data/hooks.ts'
import { duration } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/index.ts'
import { ProgressBar } from '../../ui/meter.tsx'

/** The work under way: what, which step, how far, for how long. */
export function ActionBanner({ action }: { action: ActionView }) {
  const now = useNow(true)
  const what = m.vms.action.running[action.command]
  return (
    <section aria-label={what} className="rounded-card border border-ember-line bg-ember-soft px-4 py-3">
      <div className="flex items-baseline justify-between gap-4 text-13">
        <p className="min-w-0 truncate" role="status">
          <span className="font-medium text-ember">{what}</span>
          {action.step ? <span className="text-ink-2"> · {action.step}</span> : null}
        </p>
        <p className="tnum shrink-0 text-ink-2">
          {now === 0 || action.queued ? '' : duration(now - new Date(action.startedAt).getTime())}
          {action.progress > 0 ? ` · ${action.progress} %` : ''}
        </p>
      </div>
      <div className="mt-2">
        <ProgressBar label={m.vms.action.progress(what)} value={action.progress} />
      </div>
    </section>
  )
}
