import type { ReactNode } from 'react'
import { cx } from './cx.ts'

/** How much of a capacity is in use, 0 to 1. */
export function Meter({
  label,
  value,
  text,
  mayExceed = false,
  className,
}: {
  label: string
  value: number
  /** The figure for people, also what a screen reader says. */
  text: ReactNode
  /** Being full, or more than full, is nothing to worry about: CPUs are shared, memory is not. */
  mayExceed?: boolean
  className?: string
}) {
  const part = Math.min(1, Math.max(0, value))
  return (
    <div className={cx('min-w-0', className)}>
      <div className="flex items-baseline justify-between gap-3 text-13">
        <span className="text-ink-3">{label}</span>
        <span className="tnum truncate text-ink-2">{text}</span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers draw <meter> their own way and cannot be told colours */}
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(part * 100)}
        className="mt-1.5 h-1.5 overflow-hidden rounded-full bg-raised"
      >
        <div
          className={cx(
            'h-full rounded-full transition-[width]',
            mayExceed || part <= 0.8 ? 'bg-ink-3' : part > 0.92 ? 'bg-bad' : 'bg-warn',
          )}
          style={{ width: `${Math.max(part * 100, part > 0 ? 2 : 0)}%` }}
        />
      </div>
    </div>
  )
}

/** Progress of work that has a known length, 0 to 100. */
export function ProgressBar({
  label,
  value,
  thin = false,
}: {
  label: string
  value: number
  thin?: boolean
}) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value}
      className={cx('overflow-hidden rounded-full bg-ember-soft', thin ? 'h-1' : 'h-1.5')}
    >
      <div
        className="h-full min-w-1.5 rounded-full bg-ember-solid transition-[width] duration-140"
        style={{ width: `${value}%` }}
      />
    </div>
  )
}
