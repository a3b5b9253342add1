import { cx } from './cx.ts'

/** The mark: an arch with a flame in it. */
export function HearthMark({ className, lit = true }: { className?: string; lit?: boolean }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={cx('shrink-0', className)} fill="none">
      <path
        d="M5 27.5V14.6a11 11 0 0 1 22 0v12.9"
        stroke="currentColor"
        strokeWidth="2.5"
        strokeLinecap="round"
      />
      <path
        d="M16 11.4c3.7 3.3 5.5 6.2 5.5 9.2a5.5 5.5 0 0 1-11 0c0-1.9.7-3.4 2-4.8.4 1.2 1 2 2 2.4-.3-2.6.2-4.9 1.5-6.800Z"
        className={lit ? 'fill-ember-solid' : 'fill-control'}
      />
    </svg>
  )
}

export function Wordmark({ className }: { className?: string }) {
  return (
    <span className={cx('inline-flex items-center gap-2.5', className)}>
      <HearthMark className="size-6" />
      <span className="font-semibold text-[1.0625rem] tracking-[-0.02em]">Hearth</span>
    </span>
  )
}
