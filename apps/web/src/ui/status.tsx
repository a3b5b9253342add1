import type { ReactNode } from 'react'
import { cx } from './cx.ts'

export type Tone = 'ok' | 'busy' | 'quiet' | 'bad' | 'warn' | 'away'

const pill: Record<Tone, string> = {
  ok: 'bg-ok-soft text-ok',
  busy: 'bg-ember-soft text-ember',
  quiet: 'bg-quiet-soft text-ink-2',
  bad: 'bg-bad-soft text-bad',
  warn: 'bg-warn-soft text-warn',
  away: 'border border-dashed border-control text-ink-2',
}
const mark: Record<Tone, string> = {
  ok: 'bg-ok',
  busy: 'bg-ember animate-ember',
  quiet: 'border-[1.5px] border-ink-3',
  bad: 'bg-bad rounded-[2px]! rotate-45',
  warn: 'bg-warn',
  away: 'border-[1.5px] border-dashed border-ink-3',
}

/** State by colour, by shape of its mark and by word, so that none of the three is needed alone. */
export function StatusPill({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span
      className={cx(
        'inline-flex h-6 items-center gap-1.5 whitespace-nowrap rounded-full px-2.5 font-medium text-xs',
        pill[tone],
      )}
    >
      <StatusDot tone={tone} />
      {children}
    </span>
  )
}

export function StatusDot({ tone }: { tone: Tone }) {
  return (
    <span aria-hidden="true" className={cx('inline-block size-[7px] shrink-0 rounded-full', mark[tone])} />
  )
}
