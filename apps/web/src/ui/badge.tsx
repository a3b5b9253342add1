import type { ReactNode } from 'react'
import { cx } from './cx.ts'

export type BadgeTone = 'quiet' | 'ember' | 'ok' | 'warn' | 'bad'
const tones: Record<BadgeTone, string> = {
  quiet: 'bg-quiet-soft text-ink-2',
  ember: 'bg-ember-soft text-ember',
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
}

/** A property in a word ("default", "administrator", "new"). For the state of something use StatusPill. */
export function Badge({
  tone = 'quiet',
  icon,
  children,
}: {
  tone?: BadgeTone
  icon?: ReactNode
  children: ReactNode
}) {
  return (
    <span
      className={cx(
        'inline-flex h-5 items-center gap-1 whitespace-nowrap rounded-[5px] px-1.5 font-medium text-2xs [&_svg]:size-3',
        tones[tone],
      )}
    >
      {icon}
      {children}
    </span>
  )
}

/** A label of a thing, `key=value` or the bare key. */
export function LabelChip({ name, value, action }: { name: string; value: string; action?: ReactNode }) {
  return (
    <span className="inline-flex h-5.5 min-w-0 max-w-56 items-center rounded-[5px] border border-line bg-sunken font-mono text-2xs">
      <span className="truncate px-1.5 text-ink-2">{name}</span>
      {value ? <span className="truncate border-line border-l px-1.5 text-ink">{value}</span> : null}
      {action}
    </span>
  )
}
