'use client'
import Link from 'next/link'
import type { ActivityView } from '../../data/hooks.ts'
import { ago, timeOfDay } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { cx } from '../../ui/cx.ts'
import { StatusDot, type Tone } from '../../ui/status.tsx'

const t = m.images.activity
const tones: Record<ActivityView['status'], Tone> = { running: 'busy', success: 'ok', error: 'bad' }

/** One thing that happened: when, how it ended, what, who, from where. */
export function ActivityLine({
  item,
  linkVm,
  compact = false,
}: {
  item: ActivityView
  linkVm: boolean
  /** Without a heading of its day above it: the time is told as a distance. */
  compact?: boolean
}) {
  const now = useNow()
  const who = item.actor.kind === 'system' ? t.system : item.actor.name
  return (
    <li className="flex items-start gap-4 px-5 py-3">
      <time
        dateTime={item.at}
        className={cx(
          'tnum shrink-0 whitespace-nowrap pt-px text-13 text-ink-3',
          compact ? 'order-last text-xs' : 'w-17',
        )}
      >
        {compact ? (now ? ago(item.at, now, m.common.justNow) : '') : timeOfDay(item.at)}
      </time>
      <span className="mt-[7px]">
        <StatusDot tone={tones[item.status]} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="break-words">
          <Summary item={item} linkVm={linkVm} />
          {item.status === 'running' ? null : <span className="sr-only">, {t.status[item.status]}</span>}
        </p>
        {item.errorMessage ? (
          <p className="mt-0.5 break-words text-13 text-bad">{item.errorMessage}</p>
        ) : null}
        <p className="text-13 text-ink-3">
          {who}
          {item.actor.kind === 'token' ? ` ${t.api}` : ''}
          {item.from && !compact ? ` · ${t.from(item.from)}` : ''}
          {item.status === 'running' ? <span className="text-ember"> · {t.status.running}</span> : null}
        </p>
      </div>
    </li>
  )
}

/** The sentence, with the name of its VM as the way to it. */
function Summary({ item, linkVm }: { item: ActivityView; linkVm: boolean }) {
  const { vm, summary } = item
  const at = vm && linkVm && !vm.deleted ? summary.indexOf(vm.name) : -1
  if (!vm || at < 0) return summary
  return (
    <>
      {summary.slice(0, at)}
      <Link
        href={paths.vm(vm.id)}
        className="font-medium underline decoration-line-strong underline-offset-3 hover:decoration-ember"
      >
        {vm.name}
      </Link>
      {summary.slice(at + vm.name.length)}
    </>
  )
}
