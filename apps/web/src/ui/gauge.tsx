import type { ReactNode } from 'react'
import { cx } from './cx.ts'

/**
 * A quota or capacity with what is used, and what something planned would add: the solid part is now, the glowing
 * part comes on top, and a plan that does not fit turns red. All figures in one unit; `text` words them.
 *
 *     <Gauge label={t.memory} used={4 * GIB} adding={2 * GIB} limit={16 * GIB} text={t.of('6 GiB', '16 GiB')} />
 */
export function Gauge({
  label,
  used,
  adding = 0,
  limit,
  text,
  hint,
  className,
}: {
  label: string
  used: number
  adding?: number
  /** null: no limit, and so no bar. */
  limit: number | null
  /** The figures for people; what a screen reader says. */
  text: string
  hint?: ReactNode
  className?: string
}) {
  const part = (amount: number) =>
    limit === null ? 0 : limit <= 0 ? (amount > 0 ? 100 : 0) : (amount / limit) * 100
  const now = Math.min(100, part(used))
  const after = Math.min(100, part(used + adding))
  const over = limit !== null && used + adding > limit
  const tight = limit !== null && !over && used + adding > limit * 0.9
  return (
    <div className={cx('min-w-0', className)}>
      <div className="flex items-baseline justify-between gap-3 text-13">
        <span className="text-ink-3">{label}</span>
        <span className={cx('tnum truncate', over ? 'font-medium text-bad' : 'text-ink-2')}>{text}</span>
      </div>
      {limit === null ? null : (
        // biome-ignore lint/a11y/useSemanticElements: browsers draw <meter> their own way and cannot be told colours
        <div
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(after)}
          aria-valuetext={text}
          className="mt-1.5 flex h-2 overflow-hidden rounded-full bg-raised"
        >
          <div
            className={cx('h-full transition-[width] duration-200', tight ? 'bg-warn' : 'bg-chart-1')}
            style={{ width: `${now}%` }}
          />
          {adding > 0 ? (
            <div
              className={cx(
                'h-full border-surface border-l-2 transition-[width] duration-200',
                over ? 'bg-bad' : 'bg-ember-solid',
              )}
              style={{ width: `${Math.max(after - now, over ? 6 : 2)}%` }}
            />
          ) : null}
        </div>
      )}
      {hint ? <p className={cx('mt-1 text-xs leading-4', over ? 'text-bad' : 'text-ink-3')}>{hint}</p> : null}
    </div>
  )
}

/** One figure as a ring, 0 to 1, with words in its middle; for dashboards. */
export function Ring({
  label,
  value,
  children,
  size = 72,
}: {
  label: string
  value: number | null
  children: ReactNode
  size?: number
}) {
  const part = value === null ? 0 : Math.min(1, Math.max(0, value))
  const around = 2 * Math.PI * 42
  return (
    // biome-ignore lint/a11y/useSemanticElements: <meter> cannot be a ring
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(part * 100)}
      className="relative shrink-0"
      style={{ width: size, height: size }}
    >
      <svg viewBox="0 0 100 100" aria-hidden="true" className="-rotate-90">
        <circle cx="50" cy="50" r="42" fill="none" strokeWidth="9" className="stroke-raised" />
        <circle
          cx="50"
          cy="50"
          r="42"
          fill="none"
          strokeWidth="9"
          strokeLinecap="round"
          strokeDasharray={`${part * around} ${around}`}
          className={cx(
            'transition-[stroke-dasharray] duration-300',
            part > 0.92 ? 'stroke-bad' : part > 0.8 ? 'stroke-warn' : 'stroke-chart-1',
            part === 0 && 'opacity-0',
          )}
        />
      </svg>
      <span className="tnum absolute inset-0 flex items-center justify-center font-semibold text-13">
        {children}
      </span>
    </div>
  )
}
